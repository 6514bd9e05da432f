"""Guidelines in versions: who wrote what, who has read which, what has changed, examples with their labels."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.labeling.corpus import QA_TEXT, make_project, make_user
from workbench.domain import ExampleText, Role, Span, Spans
from workbench.errors import InvalidInput, NotFound, StaleRevision
from workbench.services import Workbench
from workbench.services.annotation import Submission
from workbench.services.linediff import line_diff
from workbench.tasks.marked import format_marked, parse_marked


def test_versions_are_kept_and_an_older_one_holds_again(workbench: Workbench) -> None:
    project, _ = make_project(workbench)
    boss = make_user(workbench, "boss", role=Role.LEAD)
    with pytest.raises(NotFound):
        workbench.guidelines.version(project)
    assert workbench.guidelines.write(project, "", by=boss) is None, "nothing has changed"
    workbench.guidelines.write(project, "Mark names.\r\nNo titles.", by=boss, base=0)
    workbench.guidelines.write(project, "Mark names.\nTitles too.", note=" titles\nare in ", by=boss, base=1)
    with pytest.raises(StaleRevision, match="boss has written version 2"):
        workbench.guidelines.write(project, "Mark all.", base=1)
    restored = workbench.guidelines.restore(project, 1, by=boss)
    assert restored is not None and (restored.number, restored.note) == (3, "Version 1 again")
    assert workbench.projects.get("news").guidelines == "Mark names.\nNo titles."
    versions = workbench.guidelines.versions(project)
    assert [(one.number, one.by, one.note) for one in versions][1:] == [
        (2, "boss", "titles are in"),
        (1, "boss", ""),
    ]
    lines = workbench.guidelines.changes(project, 1, 2)
    assert [(str(one.kind), one.text) for one in lines] == [
        ("same", "Mark names."),
        ("removed", "No titles."),
        ("added", "Titles too."),
    ]
    assert workbench.guidelines.restore(project, 3) is None, "it holds already"
    with pytest.raises(NotFound):
        workbench.guidelines.restore(project, 9)
    with pytest.raises(InvalidInput):
        workbench.guidelines.write(project, "x" * 100_001)


def test_each_person_is_shown_once_what_is_new_to_them(workbench: Workbench) -> None:
    project, _ = make_project(workbench)
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    assert workbench.guidelines.unseen(project, ada) is None
    workbench.guidelines.write(project, "one\ntwo", by=bob)
    assert workbench.guidelines.unseen(project, bob) is None, "who writes has read"
    new = workbench.guidelines.unseen(project, ada)
    assert new is not None and new.since is None and new.version.number == 1
    for _ in range(2):
        workbench.guidelines.see(project, ada, 1)
    assert workbench.guidelines.unseen(project, ada) is None
    workbench.guidelines.write(project, "one\n2", note="a digit")
    workbench.guidelines.write(project, "one\n2\nthree", note="a third")
    new = workbench.guidelines.unseen(project, ada)
    assert new is not None and (new.since, new.version.number, new.notes) == (1, 3, ("a digit", "a third"))
    assert [one.text for one in new.lines] == ["one", "two", "2", "three"]
    workbench.guidelines.see(project, ada, 3)
    assert workbench.guidelines.readers(project) == {"ada": 3, "bob": 1}
    workbench.guidelines.write(project, "else")
    workbench.guidelines.restore(project, 3)
    assert workbench.guidelines.unseen(project, ada) is None, "changed, and changed back"
    other, _ = make_project(workbench, name="other")
    assert workbench.guidelines.unseen(other, ada) is None


def test_examples_are_written_with_their_labels(workbench: Workbench) -> None:
    project, ids = make_project(workbench, texts=["Ada met [Bob] in {x} ."])
    ada = make_user(workbench)
    with pytest.raises(InvalidInput):
        workbench.guidelines.example(project, "news-1")
    said = {"spans": [{"start": 0, "end": 3, "label": "PER"}]}
    workbench.annotation.revise(project, ada, Submission(ids[0], "1", payload=said))
    line = workbench.guidelines.example(project, "news-1")
    assert line == r"> [Ada]{PER} met \[Bob\] in \{x\} ."
    shown = parse_marked(line)
    assert (
        shown is not None
        and shown.text == "Ada met [Bob] in {x} ."
        and shown.spans == Spans((Span(0, 3, "PER"),))
    )
    with pytest.raises(NotFound):
        workbench.guidelines.example(project, "news-9")
    asked, ids = make_project(workbench, "qa", (), (QA_TEXT,), name="asked")
    answers = {"answers": [{"start": 38, "end": 42}], "no_answer": False}
    workbench.annotation.revise(asked, ada, Submission(ids[0], "2", payload=answers))
    first, second = workbench.guidelines.example(asked, "asked-1").split("\n")
    assert first == "> [When did the mill burn down?]{question}" and "[1911]{answer}" in second


@given(st.text(alphabet="ab \\[]{}>*\n", max_size=30), st.data())
def test_a_marked_line_is_read_as_it_was_written(text: str, data: st.DataObject) -> None:
    words = text.split()
    text = " ".join(words)
    if not words:
        return
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    label = data.draw(st.sampled_from(["PER", "a}b", "[x]", "\\"]))
    shown = parse_marked(format_marked(ExampleText(text, (), None), Spans((Span(start, end, label),))))
    assert shown is not None
    assert "".join(shown.text.split()) == "".join(words)
    assert [one.label for one in shown.spans.spans] == [label]


@given(*[st.lists(st.sampled_from("abc"), max_size=12)] * 2)
def test_a_difference_leads_from_one_text_to_the_other(old: list[str], new: list[str]) -> None:
    assume(old != new)
    lines = line_diff("\n".join(old), "\n".join(new), around=100)
    assert [one.text for one in lines if one.kind != "added"] == old
    assert [one.text for one in lines if one.kind != "removed"] == new


def test_long_examples_are_cut_and_unchanged_lines_are_left_out() -> None:
    text = "word " * 300 + "Ada " + "word " * 300
    line = format_marked(ExampleText(text, (), None), Spans((Span(1500, 1503, "PER"),)))
    assert line.startswith("> … word") and line.endswith(" …") and "[Ada]{PER}" in line and len(line) < 450
    lines = line_diff("\n".join("abcdefgh"), "\n".join("abcdefgx"))
    assert [one.text for one in lines] == ["5 lines", "f", "g", "h", "x"]
