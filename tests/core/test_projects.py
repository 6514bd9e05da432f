"""Projects and their label sets, on both databases."""

from __future__ import annotations

import pytest

from workbench.errors import AlreadyExists, InvalidInput, NotFound, UnknownName
from workbench.services import Workbench


def test_a_project_keeps_its_labels_in_order(workbench: Workbench) -> None:
    made = workbench.projects.create("news", "ner", ["PER", "ORG", "LOC"])
    assert workbench.projects.get("news") == made
    assert made.label_names == ("PER", "ORG", "LOC")
    assert [label.key for label in made.labels] == ["1", "2", "3"]
    assert len({label.color for label in made.labels}) == 3


def test_labels_are_added_once(workbench: Workbench) -> None:
    project = workbench.projects.create("news", "ner", ["PER"])
    grown = workbench.projects.add_labels(project, ["PER", "ORG", "ORG"])
    assert grown.label_names == ("PER", "ORG")
    assert workbench.projects.add_labels(grown, ["ORG"]) == grown


def test_more_labels_than_digits_go_without_a_key(workbench: Workbench) -> None:
    project = workbench.projects.create("tags", "pos", [f"T{n}" for n in range(45)])
    keys = [label.key for label in project.labels]
    assert len(set(keys[:10])) == 10
    assert set(keys[10:]) == {None}


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\\b", "a\nb", "x" * 300])
def test_a_name_that_could_not_be_a_folder_is_refused(workbench: Workbench, name: str) -> None:
    with pytest.raises(InvalidInput, match="can't be a project's name"):
        workbench.projects.create(name, "ner")
    assert workbench.projects.list() == ()


def test_wrong_names_are_said_with_the_right_ones(workbench: Workbench) -> None:
    with pytest.raises(UnknownName, match="no task type named 'nre'. Choose from ner, pos, qa"):
        workbench.projects.create("news", "nre")
    with pytest.raises(NotFound, match="no project named 'news'. Make one"):
        workbench.projects.get("news")
    workbench.projects.create("news", "ner")
    with pytest.raises(NotFound, match="no project named 'old'. Choose from news"):
        workbench.projects.get("old")
    with pytest.raises(AlreadyExists, match="'news' already"):
        workbench.projects.create("news", "ner")


def test_colliding_keys_are_refused(workbench: Workbench) -> None:
    project = workbench.projects.create("news", "ner", ["PER", "ORG"])
    with pytest.raises(AlreadyExists, match="'2' is given to both PER and ORG"):
        workbench.projects.update_label(project, "PER", key="2")
    changed = workbench.projects.update_label(project, "PER", key="p", color="#123456", description="People")
    assert (changed.labels[0].key, changed.labels[0].color) == ("p", "#123456")
    for key in ("?", "/", "[", "pp", "\x07"):
        with pytest.raises(InvalidInput, match="can't be a label's key"):
            workbench.projects.update_label(project, "PER", key=key)
    with pytest.raises(NotFound, match="no label named 'X'"):
        workbench.projects.update_label(project, "X", key="x")


def test_keys_are_given_all_at_once(workbench: Workbench) -> None:
    project = workbench.projects.create("news", "ner", ["PER", "ORG", "LOC"])

    def keys() -> list[str | None]:
        return [label.key for label in workbench.projects.get("news").labels]

    workbench.projects.assign_keys(project, {"PER": "2", "ORG": "1"})
    assert keys() == ["2", "1", "3"]
    workbench.projects.assign_keys(project, {"PER": "P", "ORG": " ", "LOC": None})
    assert keys() == ["p", None, None]
    with pytest.raises(AlreadyExists, match="'p' is given to both PER and LOC. Give one of them another key"):
        workbench.projects.assign_keys(project, {"ORG": "o", "LOC": "P"})
    with pytest.raises(NotFound, match="no label named 'X'"):
        workbench.projects.assign_keys(project, {"ORG": "o", "X": "x"})
    assert keys() == ["p", None, None]
    workbench.projects.update_label(project, "PER", retired=True)
    workbench.projects.assign_keys(project, {"LOC": "p"})
    assert keys() == [None, None, "p"]


def test_letters_are_no_keys_of_tags(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("tags", "pos", ["NN", "VB"])
    with pytest.raises(InvalidInput, match="letters narrow the list of tags"):
        sqlite_workbench.projects.assign_keys(project, {"NN": "n"})
    changed = sqlite_workbench.projects.assign_keys(project, {"NN": "+"})
    assert changed.labels[0].key == "+"


def test_guidelines_are_kept(workbench: Workbench) -> None:
    project = workbench.projects.create("news", "ner")
    assert workbench.projects.set_guidelines(
        project, "# How\n\nTitles are part of a name."
    ).guidelines.startswith("# How")
