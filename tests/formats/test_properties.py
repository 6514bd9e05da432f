"""Arbitrary Unicode through every format and back."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.formats.helpers import patch, read, write
from workbench.domain import Answer, Answers, ExampleText, Span, Spans, Tags
from workbench.formats import Labeled
from workbench.formats.answers import locate
from workbench.formats.places import find_values, replaced
from workbench.formats.tokenizer import cut_at, joined, sentences, tokenize
from workbench.tasks.schemes import SCHEMES

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

anything = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
words = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="\0\ufeff"),
    min_size=1,
    max_size=8,
)
label_names = st.sampled_from(["PER", "ORG", "é-ß", "日本", "a-b", "B-I", "x.y"])


@st.composite
def tagged(draw: st.DrawFn) -> Labeled:
    """A sentence of arbitrary words with spans on some of them."""
    tokens = draw(st.lists(words, min_size=1, max_size=8))
    text, offsets = joined(tokens)
    spans: list[Span] = []
    place = 0
    while place < len(offsets):
        length = draw(st.integers(1, 3))
        last = min(place + length, len(offsets)) - 1
        if draw(st.booleans()):
            spans.append(Span(offsets[place][0], offsets[last][1], draw(label_names)))
        place = last + 1
    name = f"{draw(st.integers(0, 10**6))}"
    return Labeled(name, "d", ExampleText(text, offsets), Spans(tuple(spans)))


@SETTINGS
@given(
    st.lists(tagged(), min_size=1, max_size=5), st.sampled_from([name for name in SCHEMES if name != "IO"])
)
def test_column_files_hold_any_words_and_spans(items: list[Labeled], scheme: str) -> None:
    data = write("conll", items, "ner", scheme=scheme)
    again, _ = read("conll", data, columns={"token": 0, "tag": 3}, separator="spaces")
    assert [(e.content, e.payload) for e in again] == [(item.content, item.payload) for item in items]


@SETTINGS
@given(st.lists(tagged(), min_size=1, max_size=5))
def test_conllu_and_json_lines_hold_any_words_and_spans(items: list[Labeled]) -> None:
    for name in ("conllu", "jsonl"):
        again, _ = read(name, write(name, items, "ner"))
        assert [e.content for e in again] == [item.content for item in items]
        # A CoNLL-U file says nothing of entities where it has none.
        assert [e.payload or Spans() for e in again] == [item.payload for item in items]


@SETTINGS
@given(st.lists(tagged(), min_size=1, max_size=4), st.data())
def test_a_patch_changes_the_labels_asked_for_and_no_byte_else(
    items: list[Labeled], data: st.DataObject
) -> None:
    separator = data.draw(st.sampled_from(["\t", " ", "   "]))
    ending = data.draw(st.sampled_from(["\n", "\r\n"]))
    scheme = data.draw(st.sampled_from(["IOB1", "IOB2", "BIOES", "BILOU"]))
    text = write("conll", items, "ner", scheme=scheme).decode().replace(" ", separator).replace("\n", ending)
    options = {"separator": "tab" if separator == "\t" else "spaces"}
    examples, report = read("conll", text, columns={"token": 0, "tag": 3}, **options)
    report.mapping["scheme"] = scheme
    assert patch("conll", text, report, []) == text.encode()
    chosen = data.draw(st.sampled_from(examples))
    start, end = data.draw(st.sampled_from(chosen.content.tokens))
    after = Spans((Span(start, end, "NEW"),))
    patched = patch("conll", text, report, [(chosen, after)]).decode()
    again, _ = read("conll", patched, columns={"token": 0, "tag": 3}, **options)
    assert [e.content for e in again] == [e.content for e in examples]
    assert [e.payload for e in again] == [after if e is chosen else e.payload for e in examples]
    lines, old = patched.split(ending), text.split(ending)
    assert len(lines) == len(old)
    for line, before in zip(lines, old, strict=True):
        assert line.rsplit(separator, 1)[0] == before.rsplit(separator, 1)[0]


@SETTINGS
@given(
    st.lists(
        st.tuples(words, st.sampled_from(["NN", "ÄÖ", "$", ",", "``"]) | st.none()), min_size=1, max_size=8
    )
)
def test_parts_of_speech_of_any_words(pairs: list[tuple[str, str | None]]) -> None:
    content = ExampleText(*joined([word for word, _ in pairs]))
    tags = Tags(tuple(tag for _, tag in pairs))
    wanted = tags if any(tags.tags) else None
    item = Labeled("1", "d", content, tags)
    for name, columns in (("conll", {"token": 0, "tag": 1}), ("conllu", {"tag": "xpos"}), ("jsonl", {})):
        options = {"separator": "spaces"} if name == "conll" else {}
        again, _ = read(name, write(name, [item], "pos", ("NN",)), "pos", columns, **options)
        assert [(e.content, e.payload) for e in again] == [(content, wanted)], name


@SETTINGS
@given(anything.filter(lambda text: text.strip()), anything.filter(lambda text: text.strip()), st.data())
def test_answers_in_any_context(context: str, question: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(start + 1, len(context)))
    answers = Answers((Answer(start, end),) if context[start:end].strip() else ())
    item = Labeled("1", "d", ExampleText(context, (), question), answers)
    for name in ("squad", "jsonl"):
        written = write(name, [item], "qa")
        again, report = read(name, written, "qa")
        assert [(e.content, e.payload) for e in again] == [(item.content, answers)], name
        assert report.repaired == 0
        assert patch(name, written, report, []) == written
        changed = Answers((Answer(0, len(context)),))
        patched = patch(name, written, report, [(again[0], changed)])
        assert read(name, patched, "qa")[0][0].payload == changed


@SETTINGS
@given(anything, st.lists(st.integers(0, 40), max_size=5))
def test_tokens_lie_in_order_and_leave_out_white_space_only(text: str, places: list[int]) -> None:
    tokens = tokenize(text)
    for found in (tokens, cut_at(tokens, places), tuple(sentences(text))):
        last = 0
        for start, end in found:
            assert last <= start < end <= len(text)
            assert not text[last:start].strip()
            last = end
        assert not text[last:].strip()


@SETTINGS
@given(anything, anything, st.integers(-5, 60) | st.none())
def test_a_located_answer_is_the_text_asked_for(context: str, answer: str, start: int | None) -> None:
    found, _ = locate(context, answer, start)
    if found is None:
        assert not answer.strip() or answer.strip() not in context
    else:
        assert context[found.start : found.end] in (answer, answer.strip())


@SETTINGS
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | anything,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
        max_leaves=12,
    ),
    st.sampled_from([None, 0, 3]),
    st.booleans(),
)
def test_places_in_json_are_those_of_the_values(value: object, indent: int | None, ascii_only: bool) -> None:
    import json

    wrapped = {"a": [{"b": value}, value], "c": value}
    text = json.dumps(wrapped, indent=indent, ensure_ascii=ascii_only)
    found = find_values(text, ("a", "*", "b"), ("c",))
    assert [path for path, _, _ in found] == [("a", 0, "b"), ("c",)]
    assert [json.loads(text[start:end]) for _, start, end in found] == [value, value]
    changed = replaced(text, [(start, end, "7") for _, start, end in found])
    assert json.loads(changed) == {"a": [{"b": 7}, value], "c": 7}
