"""Changes of a label set: every annotation follows, and gold with it."""

from __future__ import annotations

import pytest

from tests.labeling.corpus import add_version
from tests.labelsets.corpus import gold, ids, person, revisions, save
from tests.team.test_sharing import batch
from workbench.domain import AnnotationStatus, Project, Span, Spans, Split, Tags
from workbench.errors import AlreadyExists, InvalidInput, NotFound, WrongState
from workbench.formats import Source
from workbench.services import Workbench
from workbench.services import labelchanges as changes
from workbench.services.annotation_items import Submission
from workbench.services.labelchanges import LabelChange
from workbench.storage.labelsets import LabelSets
from workbench.storage.rows import now


def test_a_label_is_renamed_everywhere_and_back(workbench: Workbench, news: Project) -> None:
    before, known = gold(workbench, news), news.labels
    ann = person(workbench)
    first = ids(workbench, news)[0]
    save(workbench, news, ann, first, (0, 2, "ORG"))
    mixed = gold(workbench, news)
    preview = workbench.labelsets.preview(news, changes.rename("ORG", "ORGANISATION"))
    assert (preview.effect.examples, preview.effect.annotations, preview.effect.uses) == (1, 2, 2)
    assert revisions(workbench) == 5, "a preview writes nothing"
    done = workbench.labelsets.apply(news, changes.rename("ORG", "ORGANISATION"), ann.id)
    assert done.effect == preview.effect
    renamed = workbench.projects.get("news")
    assert {label.name: (label.color, label.key) for label in renamed.labels} == {
        "ORGANISATION" if label.name == "ORG" else label.name: (label.color, label.key) for label in known
    }
    assert gold(workbench, news)[0] == [("EU", "ORGANISATION")]
    history = workbench.annotation.history(news, first)
    assert [(one.author, one.revision) for one in history] == [
        ("import", 1), ("ann", 2), ("import", 3), ("ann", 4),
    ]  # fmt: skip
    assert [one.example_id for one, _ in workbench.annotation.recent(news, ann)] == [first]
    record = workbench.labelsets.history(news)[0]
    assert (record.kind, record.user, record.counts["annotations"]) == ("rename", "ann", 2)
    undone = workbench.labelsets.undo(renamed)
    assert (undone.effect.annotations, undone.effect.kept) == (2, 0)
    assert gold(workbench, news) == mixed and mixed[1:] == before[1:]
    assert workbench.projects.get("news").labels == known
    with pytest.raises(NotFound, match="no change of labels to undo"):
        workbench.labelsets.undo(news)


def test_a_label_is_merged_into_one_that_stays(workbench: Workbench, news: Project) -> None:
    before, known = gold(workbench, news), news.labels
    workbench.labelsets.apply(news, changes.merge(["GPE"], "LOC"))
    assert "GPE" not in workbench.projects.get("news").label_names
    assert gold(workbench, news)[2] == [("BRUSSELS", "LOC"), ("Rhine", "LOC")]
    workbench.labelsets.undo(news)
    assert gold(workbench, news) == before
    assert workbench.projects.get("news").labels == known


def test_a_label_is_split_by_words(workbench: Workbench, news: Project) -> None:
    before, known = gold(workbench, news), news.labels
    assert workbench.labelsets.surfaces(news, "GPE") == {"paris": 1, "brussels": 1}
    workbench.labelsets.apply(news, changes.split("GPE", {"Brussels": "CAPITAL"}, "CITY"))
    assert gold(workbench, news)[0][1] == ("Paris", "CITY")
    assert gold(workbench, news)[2][0] == ("BRUSSELS", "CAPITAL")
    assert {"CITY", "CAPITAL"} <= set(workbench.projects.get("news").label_names)
    assert "GPE" not in workbench.projects.get("news").label_names
    workbench.labelsets.undo(news)
    assert gold(workbench, news) == before and workbench.projects.get("news").labels == known


def test_what_no_rule_decides_is_put_to_people_again(workbench: Workbench, news: Project) -> None:
    before = gold(workbench, news)
    ann, bob = person(workbench), person(workbench, "bob")
    first = ids(workbench, news)[0]
    save(workbench, news, bob, first)  # bob sees no entity here, and his is the newest
    with_bob = gold(workbench, news)
    done = workbench.labelsets.apply(news, changes.split("GPE", {"brussels": "CAPITAL"}, None))
    assert (done.effect.undecided, done.effect.uses, done.batch) == (1, 1, 1)
    assert gold(workbench, news)[0] == [], "its gold is gone until somebody decides"
    now = workbench.projects.get("news")
    assert {label.name: label.retired for label in now.labels}["GPE"]
    queue = workbench.annotation.queue(now, ann)
    assert [item.example.id for item in queue.items] == [first]
    draft = queue.items[0].current
    assert draft is not None and draft.status is AnnotationStatus.WITHDRAWN
    save(workbench, now, ann, first, (0, 2, "ORG"), (11, 16, "CAPITAL"))
    assert gold(workbench, news)[0] == [("EU", "ORG"), ("Paris", "CAPITAL")]
    done = workbench.labelsets.undo(now)
    assert gold(workbench, news)[0] == [("EU", "ORG"), ("Paris", "CAPITAL")], "what ann decided stays"
    assert gold(workbench, news)[1:] == before[1:]
    assert done.kept_labels == ("CAPITAL",)
    standing = {one.author: one for one in workbench.annotation.history(news, first)}
    assert standing["import"].payload == Spans((Span(0, 2, "ORG"), Span(11, 16, "GPE")))
    assert standing["bob"].payload == Spans() and with_bob[0] == []


def test_gold_that_a_reviewer_chose_among_older_revisions_follows(
    workbench: Workbench, news: Project
) -> None:
    ann, lead = person(workbench), person(workbench, "lead")
    first = ids(workbench, news)[0]
    save(workbench, news, ann, first, (0, 2, "ORG"), at="1")
    chosen = workbench.annotation.history(news, first)[-1]
    save(workbench, news, ann, first, at="2")
    workbench.annotation.decide(news, lead, chosen.id)
    workbench.labelsets.apply(news, changes.rename("ORG", "COMPANY"))
    assert gold(workbench, news)[0] == [("EU", "COMPANY")]
    latest = workbench.annotation.item(workbench.projects.get("news"), ann, first).earlier
    assert latest is not None and latest.payload == Spans(), "her own last word is still hers"
    with workbench.store.read() as tx:
        assert tx.annotations.gold_of([first])[first][1] == lead.id
    workbench.labelsets.undo(news)
    assert gold(workbench, news)[0] == [("EU", "ORG")]


def test_what_is_written_anew_says_when_and_how_it_was_labeled(workbench: Workbench, news: Project) -> None:
    ann = person(workbench)
    first, second, *_ = ids(workbench, news)
    with workbench.store.write() as tx:
        add_version(tx, news)
    of_batch = batch(workbench, news, [first])
    payload = {"spans": [{"start": 0, "end": 2, "label": "ORG"}]}
    flag = {"spans": [{"start": 0, "end": 5, "label": "ORG"}]}
    answers = [
        Submission(first, "1", payload=payload, seconds=7.5, batch_id=of_batch, suggestion_version=1),
        Submission(second, "2", AnnotationStatus.FLAGGED, flag, comment="a name?"),
    ]
    for answer in answers:
        workbench.annotation.revise(news, ann, answer)
    said = [workbench.annotation.history(news, one)[-1] for one in (first, second)]
    later = now()
    correction = workbench.corrections.create(news, [first, second], "look again").batch

    def as_it_was() -> bool:
        written = [workbench.annotation.history(news, one)[-1] for one in (first, second)]
        parts = ("author", "status", "created_at", "batch_id", "seconds", "comment", "suggestion_version")
        return all(
            new.revision > old.revision and getattr(new, part) == getattr(old, part)
            for new, old in zip(written, said, strict=True)
            for part in parts
        )

    workbench.labelsets.apply(news, changes.rename("ORG", "COMPANY"), ann.id)
    assert as_it_was()
    assert [one.comment for one in workbench.review.dossier(news, second).flags] == ["a name?"]
    preview = workbench.work_changes.withdraw_preview
    assert preview(news, "ann", since=later).examples == 0
    assert preview(news, "ann", batch=1).examples == 1
    with workbench.store.read() as tx:
        assert tx.batches.open_count(news.id, correction.id) == 2
        assert tx.annotations.logged_seconds(news.id) == [(3, 7.5)], "time is spent once"
    workbench.labelsets.undo(news)
    assert as_it_was()
    workbench.labelsets.apply(news, changes.split("ORG", {}, None))
    withdrawn = workbench.annotation.history(news, second)[-1]
    assert (withdrawn.status, withdrawn.comment) == (AnnotationStatus.WITHDRAWN, "")
    assert withdrawn.created_at > later
    workbench.labelsets.undo(news)
    assert as_it_was()


def test_add_recolour_describe_retire_restore(workbench: Workbench, news: Project) -> None:
    workbench.labelsets.apply(news, changes.add("EVENT", description="what happens"))
    event = {label.name: label for label in workbench.projects.get("news").labels}["EVENT"]
    assert event.description == "what happens" and event.key not in {label.key for label in news.labels}
    workbench.labelsets.apply(news, changes.recolour("EVENT", "#123456"))
    workbench.labelsets.apply(news, changes.describe("ORG", "companies, parties"))
    workbench.labelsets.apply(news, changes.retire("PER"))
    now = {label.name: label for label in workbench.projects.get("news").labels}
    assert (now["EVENT"].color, now["ORG"].description, now["PER"].retired) == (
        "#123456",
        "companies, parties",
        True,
    )
    assert gold(workbench, news)[1] == [("Peter Blackburn", "PER")], "what is labeled stays"
    workbench.labelsets.apply(news, changes.restore("PER"))
    assert workbench.projects.get("news").labels[-1].name == "EVENT"
    for _ in range(5):
        workbench.labelsets.undo(news)
    assert workbench.projects.get("news").labels == news.labels


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (changes.add("ORG"), AlreadyExists, "a label named 'ORG' already"),
        (changes.add(" x"), InvalidInput, "can't be a label"),
        (changes.add("X", color="red"), InvalidInput, "not a colour"),
        (changes.rename("NO", "X"), NotFound, "no label named 'NO'. Choose from"),
        (changes.rename("ORG", "PER"), AlreadyExists, "merge the labels"),
        (changes.merge(["ORG"], "ORG"), InvalidInput, "nothing to merge"),
        (changes.split("ORG", {}, "ORG"), InvalidInput, "nothing would change"),
        (changes.split("ORG", {" ": "PER"}, "ORG"), InvalidInput, "no words"),
        (changes.restore("ORG"), InvalidInput, "not retired"),
    ],
)
def test_what_makes_no_sense_is_refused(
    sqlite_workbench: Workbench, change: LabelChange, error: type[Exception], words: str
) -> None:
    project = sqlite_workbench.projects.create("p", "ner", ["ORG", "PER"])
    for call in (sqlite_workbench.labelsets.preview, sqlite_workbench.labelsets.apply):
        with pytest.raises(error, match=words):
            call(project, change)
    assert sqlite_workbench.labelsets.history(project) == ()


def test_questions_have_no_labels_and_a_running_import_is_waited_for(sqlite_workbench: Workbench) -> None:
    questions = sqlite_workbench.projects.create("q", "qa")
    with pytest.raises(InvalidInput, match="has no labels"):
        sqlite_workbench.labelsets.apply(questions, changes.add("X"))
    project = sqlite_workbench.projects.create("p", "ner", ["ORG"])
    with sqlite_workbench.store.write() as tx:
        tx.loads.begin(project.id, [1], 0, "somebody", 10)
    with pytest.raises(WrongState, match="import into this project is being written"):
        sqlite_workbench.labelsets.apply(project, changes.rename("ORG", "X"))


def test_an_answer_on_somebodys_screen_is_read_under_the_new_name(
    workbench: Workbench, news: Project
) -> None:
    ann = person(workbench)
    first = ids(workbench, news)[0]
    base = workbench.annotation.item(news, ann, first).base_revision
    workbench.labelsets.apply(news, changes.merge(["GPE", "LOC"], "PLACE"))
    payload = {"spans": [{"start": 11, "end": 16, "label": "GPE"}]}
    stored = workbench.annotation.submit(
        news, ann, [Submission(example_id=first, client_id="late", payload=payload, base_revision=base)]
    )[0]
    assert stored.stored, stored.message
    assert gold(workbench, news)[0] == [("Paris", "PLACE")]


def test_tags_of_a_pos_project_follow_too(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("p", "pos")
    source = Source("a.conll", b"dogs NNS\nbark VB\n\ncats NNS\n")
    sqlite_workbench.datasets.import_sources(project, [source], Split.POOL)
    sqlite_workbench.labelsets.apply(project, changes.split("NNS", {"cats": "CAT"}, "NN"))
    examples = sqlite_workbench.datasets.browse(project).items
    assert list(sqlite_workbench.datasets.labels_of(examples).values()) == [
        Tags(("NN", "VB")),
        Tags(("CAT",)),
    ]


def test_a_change_that_fails_leaves_everything_as_it_was(
    workbench: Workbench, news: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, count = gold(workbench, news), revisions(workbench)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LabelSets, "complete", fail)
    with pytest.raises(KeyboardInterrupt):
        workbench.labelsets.apply(news, changes.split("GPE", {}, None))
    assert (gold(workbench, news), revisions(workbench)) == (before, count)
    assert workbench.projects.get("news").labels == news.labels
    assert workbench.labelsets.history(news) == () and workbench.selection.batches(news) == ()
