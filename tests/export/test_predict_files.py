"""Files through a model and out again: what comes along, what is written, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from workbench.cli import load
from workbench.cli.base import app
from workbench.errors import FormatError, InvalidInput, ModelUnavailable, WorkbenchError
from workbench.formats.hub import HubOptions
from workbench.services import standing
from workbench.services.batchprediction import Reading, in_documents, read_examples
from workbench.services.importsources import gather

CONLL = """-DOCSTART- -X- -X- O

anna NNP B-NP O
left VBD B-VP B-LOC

ben NNP B-NP O
"""
SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "people",
            "paragraphs": [
                {
                    "context": "anna left",
                    "qas": [{"id": "q1", "question": "who?", "is_impossible": True, "answers": []}],
                }
            ],
        }
    ],
}
LABELS = {"ner": ["PER", "LOC"], "pos": ["NNP", "RB"], "qa": []}


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Models of these tests find the first word; commands are run in the test's folder."""
    monkeypatch.setattr(standing, "LOOP", "tests.export.scriptedloop")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    for task, labels in LABELS.items():
        (tmp_path / task).mkdir()
        about = {"task": task, "labels": labels}
        (tmp_path / task / "workbench.json").write_text(json.dumps(about))
    load()


def predict(*words: str) -> Result:
    done = CliRunner().invoke(app, ["predict", *words])
    if isinstance(done.exception, WorkbenchError):
        raise done.exception
    return done


def test_columns_come_back_with_the_models_tags_and_their_other_columns() -> None:
    Path("in.conll").write_text(CONLL)
    said = predict("ner", "--file", "in.conll", "--out", "out.conll")
    assert "Wrote 2 examples" in said.stdout
    assert Path("out.conll").read_text().splitlines() == [
        "-DOCSTART- -X- -X- O",
        "",
        "anna NNP B-NP B-PER",
        "left VBD B-VP O",
        "",
        "ben NNP B-NP B-PER",
        "",
    ]
    said = predict("pos", "--file", "in.conll", "--format", "conll2003")
    assert "anna NNP B-NP O\nleft RB B-VP B-LOC\n" in said.stdout
    assert (
        "anna NNP B-NP S-PER"
        in predict("ner", "--file", "in.conll", "--format", "conll", "--scheme", "BIOES").stdout
    )


def test_questions_come_back_as_squad_under_their_ids() -> None:
    Path("in.json").write_text(json.dumps(SQUAD))
    predict("qa", "--file", "in.json", "--out", "out.json")
    (asked,) = json.loads(Path("out.json").read_text())["data"][0]["paragraphs"][0]["qas"]
    assert (asked["id"], asked["question"]) == ("q1", "who?")
    assert asked["answers"] == [{"text": "anna", "answer_start": 0}]


@pytest.mark.parametrize(
    ("task", "key"), [("ner", "spans"), ("pos", "tags"), ("qa", "answers")], ids=["ner", "pos", "qa"]
)
def test_json_lines_say_how_sure_it_is_and_can_be_read_again(task: str, key: str) -> None:
    row = {"question": "who?", "context": "anna left"} if task == "qa" else {"text": "anna left"}
    Path("in.jsonl").write_text(f"{json.dumps(row)}\n" * 3)
    lines = predict(task, "--file", "in.jsonl", "--format", "jsonl").stdout.splitlines()
    assert len(lines) == 3
    value = json.loads(lines[0])
    assert value[key]
    if task == "pos":
        assert value["tags"] == ["NNP", "RB"] and value["scores"] == [0.9, 0.9]
    else:
        assert value[key][0]["score"] == 0.9
    Path("again.jsonl").write_text("\n".join(lines))
    again = predict(task, "--file", "again.jsonl", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)[key] for line in again] == [json.loads(line)[key] for line in lines]
    assert "meta" not in json.loads(again[0])


def test_several_files_of_text_one_after_the_other_and_a_report() -> None:
    Path("a.txt").write_text("anna left\n\nben stayed\n")
    Path("b.txt").write_text("carl came\n")
    said = predict("ner", "--file", "a.txt", "--file", "b.txt", "--json")
    rows = json.loads(said.stdout)["predictions"]
    assert [row["entities"][0]["text"] for row in rows] == ["anna", "ben", "carl"]
    assert [row["id"] for row in rows] == ["a.txt:1", "a.txt:3", "b.txt:1"]
    said = predict("ner", "--file", "a.txt", "--out", "out.jsonl", "--json")
    assert json.loads(said.stdout)["written"]["examples"] == 2
    assert predict("ner", "--file", "a.txt").stdout == "[anna]PER left\n[ben]PER stayed\n"
    assert predict("pos", "--text", "anna left").stdout.rstrip() == "anna/NNP left/RB"
    assert "anna" in predict("qa", "--question", "who?", "--context", "anna left").stdout


def test_sentences_are_read_in_their_documents_where_the_model_reads_context() -> None:
    rows = [("a", "one"), ("a", "two"), ("a", "three"), ("b", "four"), ("c", "five"), ("c", "six")]
    lines = [json.dumps({"document": document, "text": text}) for document, text in rows]
    Path("in.jsonl").write_text("\n".join(lines))

    def sure() -> list[float]:
        found = predict("ner", "--file", "in.jsonl", "--json").stdout
        return [round(row["entities"][0]["score"], 1) for row in json.loads(found)["predictions"]]

    assert sure() == [0.9] * 6
    about = Path("ner/workbench.json")
    about.write_text(json.dumps({**json.loads(about.read_text()), "context": 4}))
    assert sure() == [0.7, 0.5, 0.7, 0.9, 0.7, 0.7]
    items = read_examples(gather(["in.jsonl"], HubOptions(), 2**20), "ner", Reading())
    found = [(content.before, content.after) for _, content in in_documents(items, 1)]
    assert found == [("", "two"), ("one", "three"), ("two", ""), ("", ""), ("", "six"), ("five", "")]


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (("ner", "--file", "bad.jsonl"), FormatError, "bad.jsonl, line 1"),
        (("ner", "--file", "none.txt"), WorkbenchError, "none.txt"),
        (("qa", "--file", "in.txt"), InvalidInput, "question"),
        (("ner", "--file", "in.txt", "--out", "out.xyz"), InvalidInput, "--format"),
        (("ner", "--file", "in.txt", "--format", "squad"), InvalidInput, "can't hold"),
        (("ner", "--file", "in.txt", "--format", "source"), InvalidInput, "do not go out"),
        (("ner", "--file", "die.txt", "--out", "out.jsonl"), ModelUnavailable, "memory is full"),
    ],
)
def test_what_it_refuses(words: tuple[str, ...], error: type[Exception], said: str) -> None:
    Path("bad.jsonl").write_text("{]\n")
    Path("in.txt").write_text("anna left\n")
    Path("die.txt").write_text("die\n")
    with pytest.raises(error, match=said):
        predict(*words)
    assert not Path("out.jsonl").exists(), "a file is whole or not there"


def test_two_documents_do_not_share_stdout() -> None:
    assert predict("ner", "--text", "anna", "--json", "--format", "jsonl").exit_code == 2
