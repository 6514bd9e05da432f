"""Datasets of the hub (a stand-in on loopback) and folders that the Hugging Face libraries wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port
from tests.formats.hubstandin import serve
from tests.formats.samples import parquet
from workbench.domain import Span, Spans
from workbench.errors import InvalidInput, NotFound
from workbench.formats import ReadOptions, Report, get_format
from workbench.formats.hub import HubOptions, load_folder
from workbench.services.importsources import gather

TRAIN = parquet(
    [{"id": "1", "tokens": ["Ada", "wrote"], "ner_tags": [1, 0]}], ner_tags=["O", "B-PER", "I-PER"]
)
TEST = parquet([{"id": "2", "tokens": ["Paris"], "ner_tags": [0]}], ner_tags=["O", "B-PER", "I-PER"])
SEVERAL = b"""---
configs:
- config_name: one
  data_files:
  - split: train
    path: one/train.parquet
- config_name: two
  data_files:
  - split: train
    path: two/train.parquet
---
"""
REPOSITORIES = {
    "ada/entities": {
        "main": {"README.md": b"---\n{}\n---\n", "data/train.parquet": TRAIN, "data/test.parquet": TEST},
        "v1": {"README.md": b"---\n{}\n---\n", "data/train.parquet": TEST},
    },
    "ada/several": {"main": {"README.md": SEVERAL, "one/train.parquet": TRAIN, "two/train.parquet": TEST}},
    "ada/script": {"main": {"README.md": b"", "script.py": b"raise SystemExit('never run')\n"}},
    "ada/nothing": {"main": {"README.md": b"", "notes.docx": b"x"}},
}
SCENARIOS: list[tuple[str, dict[str, str | None]]] = [
    ("ada/entities", {"split": "train"}),
    ("ada/entities", {"split": "train", "revision": "v1"}),
    ("ada/entities", {}),
    ("ada/entities", {"split": "dev"}),
    ("ada/entities", {"split": "train", "revision": "v9"}),
    ("ada/several", {}),
    ("ada/several", {"config": "two"}),
    ("ada/several", {"config": "three"}),
    ("ada/script", {}),
    ("ada/nothing", {}),
    ("ada/unknown", {}),
]
PROGRAM = """
import json, sys
from workbench.errors import WorkbenchError
from workbench.formats import ReadOptions, Report, get_format
from workbench.formats.hub import HubOptions, load_hub

for name, options in json.loads(sys.argv[1]):
    try:
        source = load_hub(name, HubOptions(**options), 10_000_000)
        examples = list(get_format("parquet").read(source, ReadOptions("ner"), Report()))
        print(json.dumps([source.name, [e.content.text for e in examples], [len(e.payload.spans) for e in examples]]))
    except WorkbenchError as error:
        print(json.dumps([type(error).__name__, str(error)]))
"""


def ask(
    tmp_path: Path, address: str, scenarios: list[tuple[str, dict[str, str | None]]]
) -> tuple[list[Any], str]:
    """What ``load_hub`` gives, in a process whose libraries know this hub, and what it said on stderr."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": address,
        "HF_HOME": str(tmp_path / "hf"),
        "NO_PROXY": "127.0.0.1",
    }
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HTTP_PROXY", "http_proxy"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(scenarios)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_datasets_of_the_hub_by_name_revision_configuration_and_split(tmp_path: Path) -> None:
    with serve(REPOSITORIES) as address:
        found, said = ask(tmp_path, address, SCENARIOS)
    assert said == ""
    assert found[0] == ["ada/entities train.parquet", ["Ada wrote"], [1]]
    assert found[1] == ["ada/entities v1 train.parquet", ["Paris"], [0]]
    assert found[2] == [
        "InvalidInput", "ada/entities: has several splits. Choose one with --from-split: train, test",
    ]  # fmt: skip
    assert found[3] == ["NotFound", "ada/entities: has no split 'dev'. Choose from train, test"]
    assert found[4][0] == "NotFound" and "no such revision" in found[4][1]
    assert found[5] == [
        "InvalidInput", "ada/several: has several configurations. Choose one with --config: one, two",
    ]  # fmt: skip
    assert found[6] == ["ada/several two train.parquet", ["Paris"], [0]]
    assert found[7][0] == "NotFound" and "no configuration 'three'" in found[7][1]
    assert found[8][0] == "InvalidInput" and "loading script" in found[8][1]
    assert "refs/convert/parquet" in found[8][1]
    assert found[9][0] == "InvalidInput" and "no data files" in found[9][1]
    assert found[10][0] == "NotFound" and "HF_TOKEN" in found[10][1]


def test_a_hub_that_does_not_answer_is_a_sentence_with_the_remedy(tmp_path: Path) -> None:
    found, said = ask(tmp_path, f"http://127.0.0.1:{free_port()}", [("ada/entities", {"split": "train"})])
    assert found[0][0] == "Unavailable"
    assert "the hub can't be reached" in found[0][1] and "HF_ENDPOINT" in found[0][1]
    assert said == ""


@pytest.mark.filterwarnings("ignore")
def test_folders_that_the_libraries_wrote(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value

    names = ClassLabel(names=["O", "B-PER"])
    features = Features({"tokens": List(Value("string")), "ner_tags": List(names)})
    rows = {"tokens": [["Ada", "so"], ["Bob"]], "ner_tags": [[1, 0], [1]]}
    data = Dataset.from_dict(rows, features=features)
    DatasetDict(train=data, test=data.select([1])).save_to_disk(str(tmp_path / "both"))
    data.select([1]).save_to_disk(str(tmp_path / "one"))
    for folder, options, texts in (
        ("both", HubOptions(split="train"), ["Ada so", "Bob"]),
        ("both", HubOptions(split="test"), ["Bob"]),
        ("one", HubOptions(), ["Bob"]),
    ):
        (source,) = gather([tmp_path / folder], options, 10_000_000)
        examples = list(get_format("parquet").read(source, ReadOptions("ner"), Report()))
        assert [example.content.text for example in examples] == texts
        assert examples[-1].payload == Spans((Span(0, 3, "PER"),))
    with pytest.raises(InvalidInput, match=r"several splits.*train, test"):
        load_folder(tmp_path / "both", HubOptions(), 10_000_000)
    with pytest.raises(NotFound, match="no split 'dev'"):
        load_folder(tmp_path / "both", HubOptions(split="dev"), 10_000_000)
    with pytest.raises(InvalidInput, match="WORKBENCH_MAX_UPLOAD_MB"):
        load_folder(tmp_path / "one", HubOptions(), 1)


@pytest.mark.filterwarnings("ignore")
def test_folders_of_data_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text(
        '{"text": "Ada wrote."}\n{"text": "Bob."}\n', encoding="utf-8"
    )
    (source,) = gather([tmp_path], HubOptions(), 10_000_000)
    examples = list(get_format("parquet").read(source, ReadOptions("ner"), Report()))
    assert [example.content.text for example in examples] == ["Ada wrote.", "Bob."]


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b/c", "-x"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="no name of a dataset"):
        gather([f"hub:{name}"], HubOptions(), 1)


def test_a_folder_of_that_name_is_not_taken_for_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ada").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match="a file or folder 'ada' here"):
        gather(["hub:ada"], HubOptions(), 1)
