"""Questions asked and worded anew on the Label page: stored once, never lost, read by everything that reads gold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.labeling.corpus import QA_TEXT, add_version, make_project, make_user
from workbench.domain import Answer, Answers, Prediction, Project, Role, Sharing, Split, User
from workbench.jobs.attempt import AttemptFolder
from workbench.jobs.completion import ingest_predictions
from workbench.services import Workbench
from workbench.services.annotation_items import NewQuestion, Receipt, Submission
from workbench.services.snapshots import (
    freeze_training,
    snapshot_pages,
    unlabeled_pages,
    write_examples,
)
from workbench.storage.evidence import Suspect
from workbench.storage.tables import runs
from workbench.tasks import dump_prediction

YEAR = QA_TEXT.index("1911")
IN_1911 = {"answers": [{"start": YEAR, "end": YEAR + 4}], "no_answer": False}


@pytest.fixture
def asked(workbench: Workbench) -> tuple[Project, list[int], User]:
    project, ids = make_project(workbench, "qa", (), [QA_TEXT], name="mill")
    return project, ids, make_user(workbench)


def ask(workbench: Workbench, project: Project, user: User, example_id: int, text: str, key: str) -> Receipt:
    return workbench.annotation.ask(project, user, [NewQuestion(example_id, key, text)])[0]


def test_a_new_question_stands_beside_those_of_its_context(
    workbench: Workbench, asked: tuple[Project, list[int], User]
) -> None:
    project, ids, ada = asked
    receipt = ask(workbench, project, ada, ids[0], "  What burned down? ", "q1")
    assert receipt.stored and receipt.asked is not None
    new = workbench.datasets.example(project, receipt.asked)
    old = workbench.datasets.example(project, ids[0])
    assert new.content.question == "What burned down?"
    assert (new.content.text, new.document_id, new.split, new.position) == (
        QA_TEXT,
        old.document_id,
        Split.POOL,
        3,
    )
    assert new.meta["asked_by"] == "ada"
    # It is the asker's to answer, and of nobody else's queue.
    bob = make_user(workbench, "bob")
    assert receipt.asked not in [item.example.id for item in workbench.annotation.queue(project, bob).items]
    workbench.annotation.submit(project, ada, [Submission(receipt.asked, "a1", payload=IN_1911)])
    assert workbench.datasets.labels_of([new]) == {new.id: Answers((Answer(YEAR, YEAR + 4),))}


def test_a_question_that_is_sent_again_is_asked_once(
    workbench: Workbench, asked: tuple[Project, list[int], User]
) -> None:
    project, ids, ada = asked
    first = ask(workbench, project, ada, ids[0], "What burned down?", "q1")
    assert ask(workbench, project, ada, ids[0], "What burned down?", "q1") == first
    assert workbench.datasets.counts(project).total == 4


def test_a_question_waits_while_an_import_takes_the_next_places(
    workbench: Workbench, asked: tuple[Project, list[int], User]
) -> None:
    project, ids, ada = asked
    with workbench.store.write() as tx:
        tx.loads.begin(project.id, [99], 3, "somebody", 10)
    assert workbench.annotation.ask(project, ada, [NewQuestion(ids[0], "q1", "What?")]) == []
    with workbench.store.write() as tx:
        tx.loads.publish(project.id, "somebody")
    assert ask(workbench, project, ada, ids[0], "What?", "q1").stored


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("  ", "q1", "empty"),
        ("x" * 2_001, "q1", "2,001 characters"),
        ("When\0?", "q1", "can't be shown"),
        ("When did the mill burn down?", "q1", "already"),
        ("What?", "", "client id"),
    ],
)
def test_a_question_that_can_not_be_asked_is_refused_in_words(
    workbench: Workbench, asked: tuple[Project, list[int], User], text: str, key: str, words: str
) -> None:
    project, ids, ada = asked
    receipt = ask(workbench, project, ada, ids[0], text, key)
    assert not receipt.stored and words in (receipt.message or "")
    assert workbench.datasets.counts(project).total == 3


def test_questions_are_asked_of_contexts_only(sqlite_workbench: Workbench) -> None:
    project, ids = make_project(sqlite_workbench)
    ada = make_user(sqlite_workbench)
    for example_id in (ids[0], 9_999):
        receipt = ask(sqlite_workbench, project, ada, example_id, "Who?", f"q{example_id}")
        assert "no context" in (receipt.message or "")


def test_a_wording_is_a_revision_and_the_former_one_stays(
    workbench: Workbench, asked: tuple[Project, list[int], User], tmp_path: Path
) -> None:
    project, ids, ada = asked
    with workbench.store.write() as tx:
        version = add_version(tx, project)
        said = dump_prediction("qa", Prediction(Answers(), 0.5))
        tx.models.put_predictions(version.id, [(one, said) for one in ids])
    asked_anew = {**IN_1911, "question": "In which year did it burn down?"}
    same = {**IN_1911, "question": "Who rebuilt it?"}
    receipts = workbench.annotation.submit(
        project,
        ada,
        [
            Submission(ids[0], "1", payload=IN_1911),
            Submission(ids[1], "2", payload=same),
        ],
    )
    assert receipts[1].annotation is not None
    assert receipts[1].annotation.payload == Answers((Answer(YEAR, YEAR + 4),))  # nothing is worded anew
    assert predicted(workbench, version.id, ids) == set(ids)
    workbench.annotation.submit(project, ada, [Submission(ids[0], "3", payload=asked_anew)])
    first, second = workbench.annotation.history(project, ids[0])
    assert (first.payload, second.payload) == (
        Answers((Answer(YEAR, YEAR + 4),)),
        Answers((Answer(YEAR, YEAR + 4),), "In which year did it burn down?"),
    )
    assert workbench.datasets.example(project, ids[0]).content.question == "When did the mill burn down?"
    # What was predicted of the old wording is no prediction of the new one.
    assert predicted(workbench, version.id, ids) == {ids[1], ids[2]}
    # Training reads what the annotator read.
    data = freeze_training(workbench.store, project, seed=1)
    write_examples(tmp_path / "examples.jsonl", snapshot_pages(workbench.store, data.snapshot.id))
    lines = [json.loads(line) for line in (tmp_path / "examples.jsonl").read_text("utf-8").splitlines()]
    assert [line["question"] for line in lines] == ["In which year did it burn down?", "Who rebuilt it?"]
    # And back: undo is a revision as well.
    workbench.annotation.submit(project, ada, [Submission(ids[0], "4", payload=IN_1911)])
    assert len(workbench.annotation.history(project, ids[0])) == 3


def test_what_was_predicted_of_a_wording_goes_whoever_changes_it(
    workbench: Workbench, asked: tuple[Project, list[int], User]
) -> None:
    project, ids, ada = asked
    bob, boss = make_user(workbench, "bob"), make_user(workbench, "boss", role=Role.REVIEWER)
    plain = workbench.annotation.revise(project, bob, Submission(ids[0], "1", payload={"answers": []}))
    anew = {**IN_1911, "question": "In which year did it burn down?"}
    workbench.annotation.revise(project, ada, Submission(ids[0], "2", payload=anew))
    with workbench.store.write() as tx:
        version = add_version(tx, project)
    for change in (
        lambda: workbench.review.accept(project, boss, plain.id),
        lambda: workbench.review.reopen(project, boss, ids[0]),
        lambda: workbench.sharing.set(project, Sharing(people=2, agree=2)),
    ):
        with workbench.store.write() as tx:
            said = dump_prediction("qa", Prediction(Answers(), 0.5))
            tx.models.put_predictions(version.id, [(one, said) for one in ids])
        change()
        assert predicted(workbench, version.id, ids) == {ids[1], ids[2]}


def test_what_comes_in_late_of_a_former_wording_is_left_out(
    workbench: Workbench, asked: tuple[Project, list[int], User], tmp_path: Path
) -> None:
    project, ids, ada = asked
    with workbench.store.write() as tx:
        version = add_version(tx, project)
        values = {"state": "running", "parameters": {"model_version": 1}}
        tx.connection.execute(update(runs).where(runs.c.id == version.run_id).values(values))
    attempt = AttemptFolder(tmp_path)
    write_examples(attempt.examples, unlabeled_pages(workbench.store, project.id))
    said = dump_prediction("qa", Prediction(Answers(), 0.5))
    lines = [json.dumps({"id": one, **said, "scores": {"margin": 0.5}}) for one in ids]
    attempt.predictions.write_text("\n".join(lines) + "\n")
    anew = {**IN_1911, "question": "In which year did it burn down?"}
    answers = [Submission(ids[0], "1", payload=anew), Submission(ids[1], "2", payload=IN_1911)]
    workbench.annotation.submit(project, ada, answers)
    assert ingest_predictions(workbench.store, workbench.runs.get(version.run_id), attempt) == 2
    assert predicted(workbench, version.id, ids) == {ids[1], ids[2]}
    with workbench.store.read() as tx:
        assert {one for one, _ in tx.models.top_scores(version.id, "margin", 3)} == {ids[1], ids[2]}


def predicted(workbench: Workbench, version_id: int, ids: list[int]) -> set[int]:
    with workbench.store.read() as tx:
        return set(tx.models.predictions(version_id, ids))


def test_a_wording_that_can_not_be_asked_is_refused(
    sqlite_workbench: Workbench,
) -> None:
    project, ids = make_project(sqlite_workbench, "qa", (), [QA_TEXT], name="mill")
    ada = make_user(sqlite_workbench)
    for number, wording in enumerate((" ", "x" * 2_001, 7)):
        payload: dict[str, Any] = {**IN_1911, "question": wording}
        receipt = sqlite_workbench.annotation.submit(
            project, ada, [Submission(ids[0], str(number), payload=payload)]
        )[0]
        assert not receipt.stored and "question" in (receipt.message or "")


# --- exports ---------------------------------------------------------------------------------------------

SQUAD = """{"version": "v2.0", "data": [{"title": "Mill", "paragraphs": [
  {"context": "The mill burned in 1911.", "qas": [
    {"id": "a", "question": "When?", "answers": [{"text": "1911", "answer_start": 19}], "is_impossible": false}
  ]},
  {"context": "Ada rebuilt it.", "qas": [{"id": "b", "question": "Who?", "answers": [], "is_impossible": true}]}
]}]}
"""
LINES = (
    '{"id": "a", "question": "When?", "context": "The mill burned in 1911.", "note": 1,'
    ' "answers": [{"text": "1911", "answer_start": 19}]}\r\n'
    '{"id": "b", "question": "Who?", "context": "Ada rebuilt it.", "answers": []}'
)


@pytest.mark.parametrize(("name", "content"), [("mill.json", SQUAD), ("mill.jsonl", LINES)])
def test_files_come_back_with_new_questions_and_wordings(
    sqlite_workbench: Workbench, tmp_path: Path, name: str, content: str
) -> None:
    workbench = sqlite_workbench
    path, out = tmp_path / name, tmp_path / f"out-{name}"
    path.write_bytes(content.encode())
    project = workbench.projects.create("mill", "qa")
    workbench.datasets.import_files(project, [path], split=Split.TRAIN)
    ada = make_user(workbench)
    first, second = workbench.datasets.browse(project).items
    asked = [
        ask(workbench, project, ada, one.id, text, key).asked
        for one, text, key in (
            (first, "What?", "q1"),
            (second, "What did she do?", "q2"),
            (first, "Why?", "q3"),
        )
    ]
    workbench.datasets.export_data(project, "source", out)
    assert out.read_bytes() == content.encode()  # a question without an answer yet changes nothing
    mill = {"answers": [{"start": 4, "end": 8}]}
    submissions = [
        Submission(asked[0], "1", payload=mill),
        Submission(
            asked[1], "2", payload={"answers": [{"start": 4, "end": 11}], "question": "What was done?"}
        ),
        Submission(second.id, "3", payload={"answers": [{"start": 0, "end": 3}], "question": "Who did?"}),
    ]
    assert all(one.stored for one in workbench.annotation.submit(project, ada, submissions))
    workbench.datasets.export_data(project, "source", out)
    again = workbench.projects.create("again", "qa")
    workbench.datasets.import_files(again, [out], split=Split.TRAIN)
    read = workbench.datasets.browse(again).items
    labels = workbench.datasets.labels_of(read)
    answers = {
        one.content.question: [one.content.text[a.start : a.end] for a in labels[one.id].answers]
        for one in read
    }
    assert answers == {
        "When?": ["1911"],
        "What?": ["mill"],
        "Who did?": ["Ada"],
        "What was done?": ["rebuilt"],
    }
    assert [one.external_id for one in read if one.content.question == "What?"] == ["asked-q1"]
    # Every line that nobody touched is as it came.
    untouched = next(line for line in content.splitlines() if '"When?"' in line)
    assert untouched in out.read_bytes().decode()


@pytest.mark.parametrize("export", ["squad", "jsonl"])
def test_other_exports_ask_as_the_annotator_did(
    sqlite_workbench: Workbench, tmp_path: Path, export: str
) -> None:
    project, ids = make_project(sqlite_workbench, "qa", (), [QA_TEXT], name="mill")
    ada = make_user(sqlite_workbench)
    asked = ask(sqlite_workbench, project, ada, ids[0], "What burned down?", "q1").asked
    sqlite_workbench.annotation.submit(
        project,
        ada,
        [
            Submission(asked, "1", payload=IN_1911),
            Submission(ids[0], "2", payload={**IN_1911, "question": "In which year?"}),
        ],
    )
    out = tmp_path / "out"
    sqlite_workbench.datasets.export_data(project, export, out)
    text = out.read_text("utf-8")
    assert "In which year?" in text and "What burned down?" in text and "When did the mill" not in text


def test_a_doubted_answer_is_shown_with_the_question_that_it_answers(
    workbench: Workbench, asked: tuple[Project, list[int], User]
) -> None:
    project, ids, ada = asked
    answer = Submission(ids[0], "r1", payload={**IN_1911, "question": "In which year did it burn?"})
    stored = workbench.annotation.submit(project, ada, [answer])[0].annotation
    assert stored is not None
    (shown,) = workbench.suspects.shown(project, [Suspect(ids[0], stored.id, 0.1, False, {"items": []})])
    assert shown.example.content.question == "In which year did it burn?"


def test_a_file_of_answers_may_word_the_question_anew(
    workbench: Workbench, asked: tuple[Project, list[int], User], tmp_path: Path
) -> None:
    project, ids, _ = asked
    as_it_was = workbench.datasets.example(project, ids[1]).content.question
    lines = [
        {"example": ids[0], **IN_1911, "question": "In which year did it burn?"},
        {"example": ids[1], **IN_1911, "question": as_it_was},
        {"example": ids[2], "question": "With no answer at all?"},
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = workbench.annotation.annotate_file(project, path, "bob")
    assert (report.stored, [one.line for one in report.refused]) == (2, [3])
    said = [workbench.annotation.history(project, one)[-1].payload for one in ids[:2]]
    assert [one.question for one in said] == ["In which year did it burn?", None]
