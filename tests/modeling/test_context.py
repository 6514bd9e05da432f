"""What stands around a sentence: seen by the encoder, never labeled, read or pooled; and worth something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.modeling.conftest import PEOPLE, WORDS, labeled_ner
from tests.modeling.runs import Recorder, same, weights
from tests.modeling.test_encode import CLS, SEP, load_tokenizer_once, pieces
from tests.modeling.test_encoded import _equal
from tests.modeling.tiny import write_attempt
from tests.tasks.examples import sentence
from workbench.domain import ExampleText, Payload, Span, Spans
from workbench.errors import Cancelled
from workbench.modeling import encode, loop
from workbench.modeling.artifact import load_model, read_info
from workbench.modeling.device import choose_device
from workbench.modeling.encode import TaggingWindows, encode_tagging
from workbench.modeling.encoded import Encoder
from workbench.modeling.pooling import subword_weights
from workbench.modeling.predict import Predictor
from workbench.modeling.ragged import Ragged
from workbench.modeling.tokenizer import SubwordTokenizer, load_tokenizer
from workbench.modeling.train import train
from workbench.reporting import SilentReporter


@pytest.fixture(scope="module")
def tokenizer(tiny: Path) -> SubwordTokenizer:
    return load_tokenizer(tiny, for_words=True)


def among(words: list[str], before: str = "", after: str = "") -> ExampleText:
    return replace(sentence(words), before=before, after=after)


def test_the_nearest_subwords_stand_on_both_sides_and_carry_nothing(tokenizer: SubwordTokenizer):
    example = among(["Anna", "xyz", "."], "the bob went .", "who did ?")
    windows = encode_tagging(tokenizer, [example, sentence(["rome"])], max_length=64, stride=8, context=2)
    assert pieces(tokenizer, windows) == [
        "[CLS]",
        "went",
        ".",
        "anna",
        "x",
        "##y",
        "##z",
        ".",
        "who",
        "did",
        "[SEP]",
    ]
    assert pieces(tokenizer, windows, 1) == ["[CLS]", "rome", "[SEP]"]
    assert windows.column.tolist() == [3, 4, 7, 1]
    assert windows.owner.tolist() == [-1, -1, -1, 0, 1, 1, 1, 2, -1, -1, -1, -1, 3, -1]
    assert windows.tokens.tolist() == [0, 3, 4]
    nothing = -100
    assert windows.targets(np.arange(4), all_subwords=True).tolist() == [
        *[nothing] * 3,
        *[0, 1, 1, 1, 2],
        *[nothing] * 4,
        *[3, nothing],
    ]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("the the anna left", "rome in oslo in", "anna left | rome in"),
        ("left", "rome in oslo in", "left | rome in oslo"),
        ("the the anna left", "", "the the anna left |"),
        ("the the anna left", "rome", "the anna left | rome"),
    ],
)
def test_both_sides_share_what_the_sentence_leaves_of_the_window(
    tokenizer: SubwordTokenizer, before: str, after: str, shown: str
):
    examples = [among(["who", "did", "saw", "?"], before, after)]
    windows = encode_tagging(tokenizer, examples, max_length=10, stride=2, context=8)
    expected = shown.replace("|", "who did saw ?").split()
    assert pieces(tokenizer, windows) == ["[CLS]", *expected, "[SEP]"]


def test_a_long_sentence_has_context_at_its_outer_ends(tokenizer: SubwordTokenizer):
    words = [*PEOPLE, "?", *PEOPLE, "."]
    windows = encode_tagging(
        tokenizer, [among(words, "went .", "the who")], max_length=12, stride=4, context=2
    )
    read = [pieces(tokenizer, windows, number)[1:-1] for number in range(len(windows))]
    assert read == [["went", ".", *words[:8]], words[4:], [*words[6:], "the", "who"]]
    assert windows.column[0] == 3 and int(windows.tokens[-1]) == len(words)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([*WORDS, "xyz", "\u200b"]), max_size=30),
            st.lists(st.sampled_from(WORDS), max_size=20),
            st.lists(st.sampled_from(WORDS), max_size=20),
        ),
        max_size=3,
    ),
    st.sampled_from([1, 3, 12, 40]),
)
def test_every_token_is_read_once_whatever_stands_around_it(
    tiny: Path, rows: list[tuple[list[str], list[str], list[str]]], context: int
):
    tokenizer = load_tokenizer_once(tiny)
    examples = [among(words, " ".join(before), " ".join(after)) for words, before, after in rows]
    windows = encode_tagging(tokenizer, examples, max_length=16, stride=4, context=context)
    words = [word for row, _, _ in rows for word in row]
    targets = windows.targets(np.arange(len(words)))
    assert sorted(targets[targets >= 0].tolist()) == list(range(len(words)))
    assert (windows.lengths <= 16).all()
    for window in range(len(windows)):
        ids = windows.ids[window]
        assert (ids[0], ids[-1]) == (CLS, SEP)
        for token in range(windows.tokens[window], windows.tokens[window + 1]):
            piece = tokenizer.hf.convert_ids_to_tokens(int(ids[windows.column[token]]))
            assert piece == {"xyz": "x", "\u200b": "[UNK]"}.get(words[token], words[token])
    plain = encode_tagging(tokenizer, [sentence(row) for row, _, _ in rows], max_length=16, stride=4)
    pooled = subword_weights(windows).sum()
    assert pooled == subword_weights(plain).sum(), (
        "an embedding is the mean over the sentence's own sub-words"
    )


@pytest.mark.parametrize("context", [0, 8])
def test_without_context_nothing_is_encoded_otherwise(tokenizer: SubwordTokenizer, context: int):
    """With 0 whatever stands around; with more where nothing does."""
    plain = [example for example, _ in labeled_ner(20)]
    plain.append(sentence(["xyz"] * 40))
    given_ = [replace(one, before="the bob", after="who") for one in plain] if context == 0 else plain
    size = {"max_length": 24, "stride": 6}
    expected = encode_tagging(tokenizer, plain, **size)
    found = encode_tagging(tokenizer, given_, **size, context=context)
    for field in fields(TaggingWindows):
        assert _equal(getattr(expected, field.name), getattr(found, field.name)), field.name
    assert isinstance(found.ids, Ragged) and found.ids.values.dtype == np.int64


def test_what_is_kept_of_encoded_texts_goes_by_their_context(
    tokenizer: SubwordTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made: list[int] = []
    original = encode.encode_tagging

    def counting(*given_: Any, **size: Any) -> Any:
        made.append(size.get("context", 0))
        return original(*given_, **size)

    monkeypatch.setattr(encode, "encode_tagging", counting)
    near, other = among(["anna"], "the bob"), among(["anna"], "the rome")
    for context, example in ((0, near), (0, other), (4, near), (4, other), (4, near), (5, near)):
        Encoder(tokenizer, 16, 4, tmp_path, context=context).tagging([example])
    assert made == [0, 4, 4, 5]


ROWS = 120


def hanging(count: int) -> list[tuple[ExampleText, Payload]]:
    """``the`` is a person where the sentence before says ``who``, and a place where it says ``where``: nothing else
    tells them apart."""
    rows: list[tuple[ExampleText, Payload]] = []
    for index in range(count):
        person = index % 2 == 0
        filler = PEOPLE[index // 2 % len(PEOPLE)]
        example = among(["the", "went"], f"{filler} saw {'who' if person else 'where'} ?", f"{filler} left .")
        rows.append((example, Spans((Span(0, 3, "PER" if person else "LOC"),))))
    return rows


def prepared(folder: Path, base: Path, **parameters: Any) -> Mapping[str, Any]:
    rows = hanging(ROWS)
    split = [("train", *row) for row in rows[:96]] + [("validation", *row) for row in rows[96:]]
    chosen = {"epochs": 6, "learning_rate": 1e-2, "batch_size": 8, "min_steps": 0, "freeze_embeddings": False}
    return write_attempt(
        folder,
        "ner",
        split,
        labels=["PER", "LOC"],
        base_model=str(base),
        kind="train",
        parameters={**chosen, **parameters},
    )


def test_a_label_that_hangs_on_the_sentence_before_is_learned_with_context_alone(tmp_path: Path, tiny: Path):
    found = {}
    for context in (0, 8):
        folder = tmp_path / str(context)
        result = train(folder, prepared(folder, tiny, context=context), SilentReporter())
        found[context] = result["metrics"]["validation"]["f1"]
        assert read_info(folder / "model").context == context
    assert found[8] == 1.0 and found[0] <= 0.6, "half of them, by guessing one label"
    predictor = Predictor(load_model(tmp_path / "8" / "model"), choose_device("cpu"))
    person, place = (example for example, _ in hanging(2))
    assert [one.payload for one in predictor.predict([person, place])] == [row for _, row in hanging(2)], (
        "one sentence, two labels"
    )
    alone = predictor.predict([replace(one, before="", after="") for one in (person, place)])
    assert alone[0].payload == alone[1].payload


def test_a_training_with_context_is_resumed_to_the_same_weights(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    chosen = {"context": 8, "epochs": 1}
    whole, stopped, resumed = (tmp_path / name for name in ("whole", "stopped", "resumed"))
    train(whole, prepared(whole, tiny, **chosen), SilentReporter())
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(Cancelled):
        train(stopped, prepared(stopped, tiny, **chosen), Recorder(stop_at=6))
    train(
        resumed,
        {**prepared(resumed, tiny, **chosen), "resume_from": str(stopped / "checkpoint")},
        SilentReporter(),
    )
    assert same(weights(whole), weights(resumed))


@pytest.mark.parametrize("base", ["tiny", "tiny_xlnet"])  # padded on the right, and on the left
def test_what_is_said_of_an_example_does_not_depend_on_those_beside_it(
    tmp_path: Path, base: str, request: pytest.FixtureRequest
):
    train(
        tmp_path,
        prepared(tmp_path, request.getfixturevalue(base), context=8, epochs=0.1, max_length=24, stride=6),
        SilentReporter(),
    )
    predictor = Predictor(load_model(tmp_path / "model"), choose_device("cpu"))
    rows = [
        replace(example, before=" ".join(PEOPLE[: index % 5]), after=" ".join(WORDS[: index % 7]))
        for index, (example, _) in enumerate(labeled_ner(12))
    ]
    rows.append(among(list(WORDS) * 2, "anna went .", "who left ?"))
    together = predictor.tag(rows, features=True)
    assert together.features is not None
    for index, row in enumerate(rows):
        alone = predictor.tag([row], features=True)
        mine = slice(together.offsets[index], together.offsets[index + 1])
        assert alone.features is not None
        assert np.allclose(alone.probabilities, together.probabilities[mine], atol=1e-5)
        assert np.allclose(alone.features.embeddings[0], together.features.embeddings[index], atol=1e-4)
    bare = predictor.tag([replace(row, before="", after="") for row in rows])
    assert not np.allclose(bare.probabilities, together.probabilities, atol=1e-3), "it is seen"


def test_a_model_from_before_has_no_context(tmp_path: Path, tiny: Path):
    train(tmp_path, prepared(tmp_path, tiny, context=4, epochs=0.1), SilentReporter())
    about = tmp_path / "model" / "workbench.json"
    data = json.loads(about.read_text())
    assert data.pop("context") == 4
    about.write_text(json.dumps(data))
    assert read_info(tmp_path / "model").context == 0
