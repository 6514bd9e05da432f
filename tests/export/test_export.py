"""Each task's export is loaded by plain transformers in a fresh process, carded, and predicted with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.export.conftest import Trained
from workbench.cli import load
from workbench.cli.base import app
from workbench.cli.predict import drawn
from workbench.services.exporting import ExportedModel

PLAIN = """
import json, sys
sys.modules["workbench"] = None
from transformers import pipeline
task, folder = sys.argv[1:]
text = "anna visited rome yesterday . bob left paris"
if task == "qa":
    ask = pipeline("question-answering", model=folder, trust_remote_code=True, device="cpu")
    said = {
        "one": ask(question="who did ?", context=text),
        "two": ask(question=["who did ?"] * 2, context=[text, "nobody left rome"]),
        "dicts": ask([{"question": "who did ?", "context": text}]),
        "batched": ask([{"question": "who did ?", "context": text * 9}] * 3, batch_size=2),
        "single": ask(question="who did ?", context=text * 9),
        "top": ask(question="who did ?", context=text, top_k=3),
        "forced": ask(question="who did ?", context="nobody left rome", handle_impossible_answer=False),
        "short": ask(question="who did ?", context=text, max_answer_len=1),
    }
else:
    find = pipeline("token-classification", model=folder, aggregation_strategy="first", stride=8, device="cpu")
    said = find(text * 9)
print(json.dumps(said, default=float))
"""


@pytest.fixture(scope="module")
def exported(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    """The version, exported once."""
    steps: list[str] = []
    out = tmp_path_factory.mktemp("out") / "model"
    done = trained.workbench.exporting.export_model(trained.project, "best", out, on_step=steps.append)
    assert len(steps) == 2
    return done


def test_an_export_is_whole_and_proved(trained: Trained, exported: ExportedModel) -> None:
    names = {name for name, _ in exported.files}
    assert {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "README.md",
        "evaluation.json",
        "SHA256SUMS",
    } <= names
    assert not any(name.endswith((".bin", ".pt", ".part")) for name in names)
    assert ("question_answering.py" in names) == (trained.project.task == "qa")
    checked = exported.verification
    assert checked["different"] == 0 and checked["choices"] >= 30
    assert checked["examples"] + checked["skipped"] == 40
    assert exported.size > 0 and exported.version == 1
    config = json.loads((exported.folder / "config.json").read_text())
    if trained.project.task == "ner":
        assert config["id2label"] == {"0": "O", "1": "B-PER", "2": "I-PER", "3": "B-LOC", "4": "I-LOC"}
    assert [path.name for path in exported.folder.parent.iterdir()] == ["model"]


def test_plain_transformers_loads_it(trained: Trained, exported: ExportedModel, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-c", PLAIN, trained.project.task, str(exported.folder)]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    if trained.project.task != "qa":
        assert said and all(found["end"] > found["start"] >= 0 for found in said)
        assert said[-1]["start"] > 300, "the end of a text longer than the window is read"
        return
    text = "anna visited rome yesterday . bob left paris"
    assert set(said["one"]) == {"answer", "score", "start", "end"}
    for found in (said["one"], *said["top"], said["forced"], said["short"]):
        assert 0 <= found["score"] <= 1
    assert said["one"]["answer"] == text[said["one"]["start"] : said["one"]["end"]]
    assert said["two"][0] == said["one"] == said["dicts"][0] and len(said["two"]) == 2
    assert len(said["top"]) == 3 and said["top"][0] == said["one"]
    assert said["forced"]["answer"] and len(said["short"]["answer"].split()) <= 1
    for found in said["batched"]:
        assert found["answer"] == said["single"]["answer"]
        assert found["score"] == pytest.approx(said["single"]["score"], abs=1e-4)


def test_the_card_is_true_and_valid(trained: Trained, exported: ExportedModel) -> None:
    from huggingface_hub import ModelCard

    card = ModelCard.load(exported.folder / "README.md")
    kind = "question-answering" if trained.project.task == "qa" else "token-classification"
    assert card.data.pipeline_tag == kind
    assert card.data.library_name == "transformers"
    assert "{" not in re.sub(r"```.*?```", "", card.text, flags=re.DOTALL)
    assert "0.500" in card.text and trained.project.name in card.text
    evaluation = json.loads((exported.folder / "evaluation.json").read_text())
    assert evaluation["model_version"] == 1 and evaluation["verification"]["different"] == 0


def test_predicting_with_the_folder(trained: Trained, exported: ExportedModel, tmp_path: Path) -> None:
    asks = trained.project.task == "qa"
    text = "anna visited rome ."
    row = {"question": "who did ?", "context": text} if asks else {"text": text}
    file = tmp_path / "texts.jsonl"
    file.write_text(json.dumps(row) + "\n\n" + json.dumps(row) + "\n")
    load()
    done = CliRunner().invoke(app, ["predict", str(exported.folder), "--file", str(file), "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["task"] == trained.project.task and len(document["predictions"]) == 2
    said = document["predictions"][0]
    assert said["text"] == text
    if asks:
        assert set(said) == {"text", "question", "answer", "start", "end", "score", "no_answer"}
        assert said["answer"] == text[said["start"] : said["end"]]
    else:
        found = said.get("entities", said.get("tokens"))
        assert all(text[one["start"] : one["end"]] == one["text"] for one in found)
    assert drawn(said, {}).plain
