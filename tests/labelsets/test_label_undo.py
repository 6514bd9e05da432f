"""An undo of label changes loses nothing that people did."""

from __future__ import annotations

import pytest

from tests.labelsets.corpus import gold, ids, person, save
from workbench.domain import Project
from workbench.errors import WrongState
from workbench.services import Workbench
from workbench.services import labelchanges as changes


def test_what_a_person_said_after_a_rename_follows_the_undo(workbench: Workbench, news: Project) -> None:
    ann = person(workbench)
    first, second, *_ = ids(workbench, news)
    workbench.labelsets.apply(news, changes.rename("ORG", "COMPANY"))
    now = workbench.projects.get("news")
    save(workbench, now, ann, first, (0, 2, "COMPANY"), (11, 16, "GPE"))
    save(workbench, now, ann, second, (0, 5, "COMPANY"))
    done = workbench.labelsets.undo(now)
    assert gold(workbench, news)[:2] == [[("EU", "ORG"), ("Paris", "GPE")], [("Peter", "ORG")]]
    assert "COMPANY" not in workbench.projects.get("news").label_names
    assert done.kept_labels == ()


def test_labels_are_merged_and_the_undo_keeps_what_came_later(workbench: Workbench, news: Project) -> None:
    before = gold(workbench, news)
    ann = person(workbench)
    done = workbench.labelsets.apply(news, changes.merge(["GPE", "LOC"], "PLACE"))
    assert (done.effect.uses, done.effect.gold) == (3, 2)
    now = workbench.projects.get("news")
    assert sorted(now.label_names) == ["ORG", "PER", "PLACE"]
    assert gold(workbench, news)[2] == [("BRUSSELS", "PLACE"), ("Rhine", "PLACE")]
    save(workbench, now, ann, ids(workbench, news)[2], (9, 14, "PLACE"))
    done = workbench.labelsets.undo(now)
    assert done.kept_labels == ("PLACE",)
    after = workbench.projects.get("news")
    assert set(after.label_names) == {"ORG", "PER", "GPE", "LOC", "PLACE"}
    assert gold(workbench, news) == [before[0], before[1], [("Rhine", "PLACE")], []]
    keys = [label.key for label in after.labels if label.key]
    assert len(keys) == len(set(keys))


def test_undoing_an_undecided_split_gives_the_gold_back(workbench: Workbench, news: Project) -> None:
    before, known = gold(workbench, news), news.labels
    done = workbench.labelsets.apply(news, changes.split("GPE", {}, None))
    assert (done.effect.undecided, done.batch) == (2, 1)
    workbench.labelsets.undo(news)
    assert gold(workbench, news) == before and workbench.projects.get("news").labels == known
    assert workbench.annotation.queue(news, person(workbench), batch_id=None).total == 4
    assert workbench.selection.items(news, 1) == ()


def test_only_the_newest_change_can_be_undone(workbench: Workbench, news: Project) -> None:
    before, known = gold(workbench, news), news.labels
    workbench.labelsets.apply(news, changes.rename("ORG", "COMPANY"))
    workbench.labelsets.apply(news, changes.merge(["COMPANY", "PER"], "ACTOR"))
    with pytest.raises(WrongState, match="change 2 .merged COMPANY, PER into ACTOR. came after it"):
        workbench.labelsets.undo(news, number=1)
    assert workbench.labelsets.undo_preview(news).number == 2
    workbench.labelsets.undo(news, number=2)
    workbench.labelsets.undo(news, number=1)
    assert gold(workbench, news) == before and workbench.projects.get("news").labels == known
