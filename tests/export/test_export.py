"""Each task's export is loaded by plain transformers, of two generations, in a fresh process outside the project."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.conftest import missing
from tests.export.conftest import TASKS, Made
from workbench import __version__
from workbench.cli import load
from workbench.cli.base import app
from workbench.cli.predict import drawn
from workbench.domain import ExampleText, Spans, Tags
from workbench.formats.tokenizer import tokenize
from workbench.modeling.predict import load_predictor
from workbench.services.exporting import ExportedModel

PLAIN = Path(__file__).with_name("plain.py")
OLDER = Path(__file__).parents[2] / ".venv-4.57" / "bin" / "python"
TEXT = "anna visited rome yesterday . "


@pytest.mark.parametrize("task", TASKS)
def test_an_export_is_whole_and_proved(exports: dict[str, Made], task: str) -> None:
    made = exports[task]
    names = {name for name, _ in made.exported.files}
    whole = {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "README.md",
        "evaluation.json",
        "SHA256SUMS",
    }
    assert whole <= names
    assert not any(name.endswith((".bin", ".pt", ".part", ".pyc")) for name in names)
    assert ("question_answering.py" in names) == (task == "qa")
    assert ("word_classification.py" in names) == (task != "qa")
    assert {"onnx/model.onnx", "onnx/model_int8.onnx", "onnx_pipeline.py"} <= names or task != "ner"
    checked = made.exported.verification
    assert checked["different"] == 0 and checked["choices"] >= 30
    assert checked["examples"] + checked["skipped"] == 40
    assert checked["pipeline"] >= 0.9
    assert (checked["plain"] is not None) == (task == "ner")
    for strategy, found in (checked["plain"] or {}).items():
        card = (made.folder / "README.md").read_text()
        assert f'`"{strategy}"` the same entities for {found["same"]:.1%}' in card
        assert f"(F1 {found['f1']:.3f})" in card
    assert made.exported.size > 0 and made.exported.version == 1
    config = json.loads((made.folder / "config.json").read_text())
    if task == "ner":
        assert config["id2label"] == {"0": "O", "1": "B-PER", "2": "I-PER", "3": "B-LOC", "4": "I-LOC"}
    assert [path.name for path in made.folder.parent.iterdir()] == ["model"]
    assert len(made.steps) == (3 if task == "ner" else 2)


def test_what_single_texts_lose_is_measured_where_a_version_reads_context(exports: dict[str, Made]) -> None:
    assert exports["ner"].exported.verification["alone"] is None
    made = exports["pos"]
    found = made.exported.verification["alone"]
    assert (found["examples"], found["labeled"], found["metric"]) == (40, 40, "accuracy")
    assert found["same"] < 40 and found["alone"] < found["in_context"]
    assert made.exported.verification["stored"] == {"compared": 40, "same": 40}, (
        "which were predicted in context"
    )
    card = (made.folder / "README.md").read_text()
    assert "up to 16 sub-words of what stands before and after it" in card
    assert f"accuracy is {found['in_context']:.3f} in their documents and {found['alone']:.3f} alone" in card
    assert "## Context" not in (exports["ner"].folder / "README.md").read_text()


def run_plain(python: Path, exports: dict[str, Made], folder: Path) -> Any:
    command = [str(python), "-I", str(PLAIN), *(str(exports[task].folder) for task in TASKS)]
    more = {"HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(folder / "modules"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, cwd=folder, env=more, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("generation", ["5", "4.57"])
def test_plain_transformers_loads_them(exports: dict[str, Made], tmp_path: Path, generation: str) -> None:
    python = Path(sys.executable)
    if generation == "4.57":
        python = OLDER
        if not python.is_file():
            missing("transformers-4.57", "there is no .venv-4.57; make it with `make older`")
    said = run_plain(python, exports, tmp_path)
    assert said["version"].startswith(f"{generation}.")
    for task in ("ner", "pos"):
        for name, text in (("short", TEXT), ("long", TEXT * 12)):
            found = places(said[f"{task} words"][name])
            assert found == predicted(exports[task], text), "what the workbench predicts"
        long, short, empty = said[f"{task} words"]["batched"]
        for one, other in ((long, "long"), (short, "short"), (empty, None)):
            assert places(one) == (places(said[f"{task} words"][other]) if other else [])
        assert {(one["start"], one["end"]) for one in said[f"{task} words"]["given"]} <= {(0, 4), (5, 17)}
        assert said[task]["long"][-1]["end"] > 330, "the end of a text longer than the window is read"
    assert places(said["ner"]["short"]) == predicted(exports["ner"], TEXT)
    check_answers(said["qa"])
    code = {
        "answer_windows.py",
        "question_answering.py",
        "word_classification.py",
        "tag_windows.py",
        "words.py",
    }
    assert code <= set(said["modules"])


def places(found: list[dict[str, Any]]) -> list[tuple[int, int, str]]:
    return [(one["start"], one["end"], one["entity_group"]) for one in found]


def predicted(made: Made, text: str) -> list[tuple[int, int, str]]:
    """What the workbench sees in a text: entities, or the tag of each word."""
    example = ExampleText(text, tokenize(text))
    (said,) = load_predictor(made.folder, "cpu").predict([example])
    if isinstance(said.payload, Tags):
        return [(*token, str(tag)) for token, tag in zip(example.tokens, said.payload.tags, strict=True)]
    assert isinstance(said.payload, Spans) and said.payload.spans
    return [(span.start, span.end, span.label) for span in said.payload.spans]


def check_answers(said: dict[str, Any]) -> None:
    assert set(said["one"]) == {"answer", "score", "start", "end"}
    for found in (said["one"], *said["top"], said["forced"], said["short"]):
        assert 0 <= found["score"] <= 1
    for name, text in (("one", TEXT), ("single", TEXT * 12), ("windows", TEXT * 12)):
        assert said[name]["answer"] == text[said[name]["start"] : said[name]["end"]]
    assert said["two"][0] == said["one"] == said["dicts"][0] and len(said["two"]) == 2
    assert len(said["top"]) == 3 and said["top"][0] == said["one"]
    assert said["forced"]["answer"] and len(said["short"]["answer"].split()) <= 1
    assert {"answer": "", "start": 0, "end": 0}.items() <= min(
        said["none"], key=lambda one: one["end"]
    ).items()
    for found in said["batched"]:
        assert found["answer"] == said["single"]["answer"]
        assert found["score"] == pytest.approx(said["single"]["score"], abs=1e-4)


def test_onnx_models_are_measured_without_torch(exports: dict[str, Made], tmp_path: Path) -> None:
    check_onnx(exports["ner"].exported, tmp_path)
    assert said_by_snippet(exports["ner"].folder, TEXT, tmp_path) == [
        {"start": start, "end": end, "entity_group": label}
        for start, end, label in predicted(exports["ner"], TEXT)
    ]


@pytest.mark.proof
def test_onnx_models_answer_questions_without_torch(exports: dict[str, Made], tmp_path: Path) -> None:
    trained = exports["qa"].trained
    done = trained.workbench.exporting.export_model(trained.project, 1, tmp_path / "out", onnx=True)
    check_onnx(done, tmp_path)
    said = said_by_snippet(done.folder, TEXT * 12, tmp_path)
    assert said["answer"] == (TEXT * 12)[said["start"] : said["end"]] != ""


def check_onnx(exported: ExportedModel, folder: Path) -> None:
    found = exported.verification["onnx"]
    assert found["examples"] == found["labeled"] == 40
    models = found["models"]
    assert set(models) == {"torch", "fp32", "int8"} and models["fp32"]["agreement"] == 1.0
    assert models["fp32"]["value"] == pytest.approx(models["torch"]["value"], abs=1e-6)
    assert models["int8"]["agreement"] > 0.9 and models["int8"]["bytes"] < models["fp32"]["bytes"]
    card = (exported.folder / "README.md").read_text()
    assert f"| ONNX int8 | {models['int8']['bytes'] / 1e6:.1f} |" in card
    assert b"site-packages" not in (exported.folder / "onnx" / "model.onnx").read_bytes()


def said_by_snippet(folder: Path, text: str, cwd: Path) -> Any:
    """What the card's snippet gives, as it stands there but for the folder and the text, without torch."""
    card = (folder / "README.md").read_text()
    snippet = re.search(r"```python\n(.*?)```", card.partition("## Without torch")[2], re.DOTALL)
    assert snippet is not None
    code = snippet[1].replace("DIR", repr(str(folder))).replace('"context …"', repr(text))
    code = code.replace('model("…")', f"model({text!r})").replace("question …", "who did ?")
    code = code.replace("\nmodel(", "\nsaid = model(")
    absent = "import sys\nfor name in ('torch', 'transformers', 'workbench'): sys.modules[name] = None\n"
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", f"{absent}{code}\nimport json\nprint(json.dumps(said))"],
        capture_output=True,
        cwd=cwd,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    if isinstance(said, list):
        return [{key: one[key] for key in ("start", "end", "entity_group")} for one in said]
    return said


@pytest.mark.parametrize("task", TASKS)
def test_the_card_is_true_and_valid(exports: dict[str, Made], task: str) -> None:
    from huggingface_hub import EvalResult, ModelCard, ModelCardData
    from huggingface_hub.repocard import metadata_load

    made = exports[task]
    card = ModelCard.load(made.folder / "README.md")
    kind = "question-answering" if task == "qa" else "token-classification"
    assert isinstance(card.data, ModelCardData)
    assert card.data.pipeline_tag == kind and card.data.library_name == "transformers"
    assert card.data.license == "other", "nothing is known of the tiny base model"
    assert metadata_load(made.folder / "README.md")["model-index"]
    (result,) = card.data.eval_results
    assert isinstance(result, EvalResult)
    assert result.task_type == kind and result.dataset_split == "test" and result.metric_value > 0
    assert "{" not in re.sub(r"```.*?```", "", card.text, flags=re.DOTALL)
    assert made.trained.project.name in card.text and "95 % interval" in card.text
    assert f"- annotation-workbench {__version__}" in card.text and "- transformers 5." in card.text
    assert str(made.trained.workbench.settings.home.parent) not in card.text
    for label in made.trained.version.labels:
        assert f"- `{label}`" in card.text
    evaluation = json.loads((made.folder / "evaluation.json").read_text())
    assert evaluation["model_version"] == 1 and evaluation["verification"]["different"] == 0


@pytest.mark.parametrize("task", ["qa"])
def test_predicting_with_the_folder(exports: dict[str, Made], task: str, tmp_path: Path) -> None:
    text = "anna visited rome ."
    row = {"question": "who did ?", "context": text} if task == "qa" else {"text": text}
    file = tmp_path / "texts.jsonl"
    file.write_text(json.dumps(row) + "\n\n" + json.dumps(row) + "\n")
    load()
    done = CliRunner().invoke(app, ["predict", str(exports[task].folder), "--file", str(file), "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["task"] == task and len(document["predictions"]) == 2
    said = document["predictions"][0]
    assert said["text"] == text
    if task == "qa":
        assert set(said) == {"id", "text", "question", "answer", "start", "end", "score", "no_answer"}
        assert said["answer"] == text[said["start"] : said["end"]]
    else:
        assert [one["text"] for one in said["tokens"]] == text.split()
    assert drawn(said, {}).plain
