"""What stands around sentences in their documents is read a page at a time, and never out of another split."""

from __future__ import annotations

import pytest
from sqlalchemy import event, update

from tests.jobs.rows import add_examples
from workbench.domain import Project, Split
from workbench.domain.context import CHARACTERS, text_after, text_before
from workbench.services import Workbench
from workbench.storage import rows
from workbench.storage.tables import examples


@pytest.fixture
def project(workbench: Workbench) -> Project:
    return workbench.projects.create("news", "ner", ["PER", "LOC"])


def set_all(wb: Workbench, ids: list[int], **values: object) -> None:
    """Change rows; a list gives each its own."""
    with wb.store.write() as tx:
        for place, example_id in enumerate(ids):
            own = {name: value[place] if isinstance(value, list) else value for name, value in values.items()}
            tx.connection.execute(update(examples).where(examples.c.id == example_id).values(**own))


def contexts(wb: Workbench, ids: list[int], context: int = 64) -> dict[int, tuple[str, str]]:
    with wb.store.read() as tx:
        return tx.examples.contexts(ids, context)


def test_neighbours_are_those_of_the_document(
    workbench: Workbench, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add_examples(workbench, project, 9, per_document=3)
    set_all(workbench, ids, text=list("abcdefghi"))
    # Two documents whose sentences alternate, as in a table, with a gap.
    mixed = add_examples(workbench, project, 4, per_document=2)
    set_all(workbench, mixed, text=list("wxyz"), position=[20, 30, 25, 35])
    expected = {
        "a": ("", "b c"),
        "b": ("a", "c"),
        "c": ("a b", ""),
        "d": ("", "e f"),
        "e": ("d", "f"),
        "f": ("d e", ""),
        "w": ("", "x"),
        "x": ("w", ""),
        "y": ("", "z"),
        "z": ("y", ""),
    }
    asked = [*ids[:6], *mixed]
    names = dict(zip(asked, expected, strict=True))
    for size in (rows.MAX_PARAMETERS, 2):  # where a page ends within a document nothing is lost
        monkeypatch.setattr(rows, "MAX_PARAMETERS", size)
        for order in (asked, asked[::-1]):
            assert {names[key]: found for key, found in contexts(workbench, order).items()} == expected
    assert contexts(workbench, ids[1:2], 1) == {ids[1]: ("a", "c")}
    assert contexts(workbench, []) == {}


def test_no_text_of_another_split_is_among_them(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, 8, per_document=8)
    splits = [
        Split.POOL,
        Split.TRAIN,
        Split.POOL,
        Split.TEST,
        Split.TEST,
        Split.VALIDATION,
        *[Split.POOL] * 2,
    ]
    set_all(workbench, ids, text=list("abcdefgh"), split=splits)
    found = contexts(workbench, ids)
    assert [found[key] for key in ids] == [
        ("", "b c"),
        ("a", "c"),
        ("a b", ""),
        ("", "e"),
        ("d", ""),
        ("", ""),
        ("", "h"),
        ("g", ""),
    ], (
        "the pool and the train split are both learned from; across a sentence that is left out nothing is read"
    )


def test_questions_have_none(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, 3, per_document=3)
    set_all(workbench, ids, question="who?")
    assert contexts(workbench, ids) == {}


def test_a_long_document_costs_a_few_queries(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, 60, per_document=60)
    asked: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(workbench.store.engine, "before_cursor_execute", listen)
    try:
        found = contexts(workbench, ids)
    finally:
        event.remove(workbench.store.engine, "before_cursor_execute", listen)
    assert len(found) == 60 and len([one for one in asked if one.startswith("SELECT")]) == 2
    with workbench.store.read() as tx:
        texts = [example.content.text for example in tx.examples.by_ids(ids)]
    for place in (0, 30, 59):
        before, after = found[ids[place]]
        assert before == text_before(texts[:place][::-1], 64) and after == text_after(texts[place + 1 :], 64)
        assert len(before) <= 64 * CHARACTERS


def test_texts_are_whole_sentences_and_cut_at_words() -> None:
    assert text_before(["c d", "a b"], 64) == "a b c d" and text_after(["c d", "a b"], 64) == "c d a b"
    assert text_before(["one two three"], 1) == "three" and text_after(["eleven twelve"], 1) == "eleven"
    assert text_before(["x" * 20], 1) == text_after(["x" * 20], 1) == "x" * 8, "one word, longer than allowed"
    assert text_before(["abcdefgh", "more"], 1) == text_after(["abcdefgh", "more"], 1) == "abcdefgh"
    assert text_before(iter("abcdef"), 3) == "c b a" and text_after(iter("abcdef"), 3) == "a b c"
    assert text_before([], 64) == text_after([], 64) == ""
