"""Changes of a label set: every annotation follows, gold with it, and an undo loses nothing that people did."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from workbench.config import Settings
from workbench.domain import AnnotationStatus, ExampleText, Payload, Project, Span, Spans, Split, Tags, User
from workbench.errors import AlreadyExists, InvalidInput, NotFound, WrongState
from workbench.formats import Source
from workbench.services import Workbench, open_workbench
from workbench.services import labelchanges as changes
from workbench.services.annotation_items import Submission
from workbench.services.labelchanges import LabelChange
from workbench.storage.labelsets import LabelSets
from workbench.storage.upkeep import database_problems
from workbench.tasks import get_task
from workbench.tasks.relabel import Relabeling, relabel

CONLL = b"""EU B-ORG
rejects O
Paris B-GPE

Peter B-PER
Blackburn I-PER

BRUSSELS B-GPE
Rhine B-LOC

none O
"""


@pytest.fixture
def news(workbench: Workbench) -> Project:
    project = workbench.projects.create("news", "ner")
    workbench.datasets.import_sources(project, [Source("a.conll", CONLL)], Split.POOL)
    return workbench.projects.get("news")


def person(workbench: Workbench, name: str = "ann") -> User:
    with workbench.store.write() as tx:
        return tx.users.find_or_add(name)


def gold(workbench: Workbench, project: Project) -> list[list[tuple[str, str]]]:
    """Words and label of each span of the accepted annotations, example by example."""
    examples = workbench.datasets.browse(project, limit=100).items
    found = workbench.datasets.labels_of(examples)
    return [_spans(example.content, found.get(example.id)) for example in examples]


def _spans(content: ExampleText, payload: Payload | None) -> list[tuple[str, str]]:
    assert payload is None or isinstance(payload, Spans)
    return [(content.text[s.start : s.end], s.label) for s in payload.spans] if payload else []


def save(
    workbench: Workbench,
    project: Project,
    user: User,
    example: int,
    *spans: tuple[int, int, str],
    at: str = "",
) -> None:
    submission = Submission(
        example_id=example,
        client_id=f"{user.name}-{example}-{at}",
        payload={"spans": [{"start": a, "end": b, "label": label} for a, b, label in spans]},
    )
    workbench.annotation.revise(project, user, submission)


def ids(workbench: Workbench, project: Project) -> list[int]:
    return [example.id for example in workbench.datasets.browse(project, limit=100).items]


def revisions(workbench: Workbench) -> int:
    with workbench.store.read() as tx:
        return int(tx.connection.exec_driver_sql("SELECT count(*) FROM annotations").scalar_one())


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


def test_undoing_an_undecided_split_gives_the_gold_back(workbench: Workbench, news: Project) -> None:
    before, known = gold(workbench, news), news.labels
    done = workbench.labelsets.apply(news, changes.split("GPE", {}, None))
    assert (done.effect.undecided, done.batch) == (2, 1)
    workbench.labelsets.undo(news)
    assert gold(workbench, news) == before and workbench.projects.get("news").labels == known
    assert workbench.annotation.queue(news, person(workbench), batch_id=None).total == 4
    assert workbench.selection.items(news, 1) == ()


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


NAMES = ["A", "B", "C", "D"]


STEPS = st.tuples(st.sampled_from(["rename", "merge", "split", "save"]), st.randoms(use_true_random=False))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    opened = open_workbench(Settings(home=tmp_path_factory.mktemp("home"), database_url=None))
    yield opened
    opened.close()


def step(workbench: Workbench, project: Project, kind: str, number: int, random: Random) -> bool:
    """One random change; whether there was one."""
    names = list(project.label_names)
    one, other = random.choice(names), random.choice(names)
    change = {
        "rename": changes.rename(one, f"N{number}"),
        "merge": changes.merge([one, other], random.choice([one, f"M{number}"])),
        "split": changes.split(one, {"w1": f"S{number}"}, random.choice([one, None, f"R{number}"])),
    }[kind]
    try:
        workbench.labelsets.apply(project, change)
    except InvalidInput:
        return False
    return True


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(steps=st.lists(STEPS, max_size=6))
def test_undoing_everything_gives_back_everything_that_nobody_touched(
    shared: Workbench, steps: list[tuple[str, Random]]
) -> None:
    """Whatever the changes are and whoever saves between them: labels of untouched examples come back exactly."""
    name = f"p{len(shared.projects.list())}"
    project = shared.projects.create(name, "ner")
    text = "".join(f"w{i % 3} B-{NAMES[i % 4]}\nx{i} B-{NAMES[(i + 1) % 4]}\n\n" for i in range(6))
    shared.datasets.import_sources(project, [Source("a.conll", text.encode())], Split.POOL)
    before, known = gold(shared, project), shared.projects.get(name).labels
    ann, done = person(shared), 0
    said: dict[int, str] = {}
    for number, (kind, random) in enumerate(steps):
        now = shared.projects.get(name)
        if kind != "save":
            done += step(shared, now, kind, number, random)
            continue
        place = random.randrange(6)
        said[place] = random.choice(now.label_names)
        save(shared, now, ann, ids(shared, now)[place], (0, 2, said[place]), at=str(number))
    for _ in range(done):
        shared.labelsets.undo(project)
    after = gold(shared, project)
    for place, (was, became) in enumerate(zip(before, after, strict=True)):
        if place in said:
            assert [words for words, _ in became] == [f"w{place % 3}"], "what a person said is there"
        else:
            assert became == was
    left = shared.projects.get(name).labels
    assert {label.name for label in known} <= {label.name for label in left}
    keys = [label.key for label in left if label.key]
    assert len(keys) == len(set(keys))
    assert database_problems(shared.store) == []


TEXT = ExampleText("a bb a", ((0, 1), (2, 4), (5, 6)))
LABELS = st.sampled_from(["A", "B", "C"])


@given(
    st.lists(st.none() | LABELS, min_size=3, max_size=3),
    st.dictionaries(LABELS, st.none() | LABELS),
    st.dictionaries(LABELS, st.dictionaries(st.sampled_from(["a", "bb"]), LABELS)),
)
def test_relabeling_counts_what_it_changes(
    tags: list[str | None], names: dict[str, str | None], surfaces: dict[str, dict[str, str]]
) -> None:
    payload = Tags(tuple(tags))
    found = relabel(payload, TEXT, Relabeling(names, surfaces))
    assert isinstance(found.payload, Tags)
    assert found.changed == sum(a != b for a, b in zip(tags, found.payload.tags, strict=True))
    assert found.undecided <= sum(tag is not None for tag in tags)
    get_task("pos").validate(found.payload, TEXT, ["A", "B", "C"])


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
