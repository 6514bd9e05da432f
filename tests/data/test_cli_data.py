"""The commands: keys, exit codes, one line on stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.cli.importing import parse_columns
from workbench.errors import InvalidInput

CONLL = "EU NNP I-ORG\nrejects VBZ O\n\nEU NNP I-ORG\nrejects VBZ O\n"


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "WORKBENCH_HOME": str(home)}
    environment.pop("WORKBENCH_DATABASE_URL", None)
    program = str(Path(sys.executable).parent / "workbench")
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, check=False)


def test_import_and_export_from_the_command_line(tmp_path: Path) -> None:
    home, path, out = tmp_path / "home", tmp_path / "a.conll", tmp_path / "out"
    path.write_text(CONLL)
    assert command(home, "project", "create", "news", "--task", "ner").returncode == 0
    dry = command(home, "import", "news", str(path), "--split", "pool", "--dry-run")
    assert dry.returncode == 0 and "Would import 2 examples" in dry.stdout
    assert "a.conll:1: EU rejects" in dry.stdout and "EU = ORG" in dry.stdout
    done = command(
        home,
        "import",
        "news",
        str(path),
        "--split",
        "pool",
        "--column",
        "token=0",
        "--column",
        "tag=2",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    keys = [
        "examples",
        "documents",
        "tokens",
        "entities",
        "labels",
        "skipped",
        "repaired",
        "duplicates",
        "warnings",
    ]
    assert [report[key] for key in keys] == [2, 1, 4, 2, {"ORG": 2}, 0, 0, 1, []]
    again = command(home, "import", "news", str(path), "--split", "pool")
    assert again.returncode == 1
    assert again.stderr.startswith("error: a.conll: the project has this file already")
    assert again.stderr.count("\n") == 1
    exported = command(home, "export-data", "news", "--format", "source", "--out", str(out), "--json")
    assert exported.returncode == 0 and json.loads(exported.stdout)["changed"] == 0
    assert out.read_text() == CONLL
    assert command(home, "import", "news", str(path)).returncode == 2


def test_splits_and_duplicates_from_the_command_line(tmp_path: Path) -> None:
    home, path = tmp_path / "home", tmp_path / "a.conll"
    sentence = "\n".join(f"word{i} O" for i in range(12))
    path.write_text(
        f"{sentence}\nend B-X\n\n{sentence}\nother O\n\n" + "".join(f"w{i} O\n\n" for i in range(8))
    )
    assert command(home, "project", "create", "news", "--task", "ner").returncode == 0
    assert command(home, "import", "news", str(path)).returncode == 2
    shares = ("--split-ratio", "train=50,test=50", "--group", "example")
    done = command(home, "import", "news", str(path), *shares, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["splits"] == {"test": 5, "train": 5}
    for seed in range(20):
        arguments = (
            "split",
            "news",
            "--ratio",
            "train=50,test=50",
            "--group",
            "example",
            "--seed",
            str(seed),
            "--json",
        )
        assert json.loads(command(home, *arguments).stdout)["counts"] == {"test": 5, "train": 5}
        found = json.loads(command(home, "duplicates", "news", "--json").stdout)
        if found["near"]:
            break
    assert (found["exact"], found["near"]) == (0, 1)
    assert found["leaks"][0]["similarity"] > 0.7


def test_column_mappings() -> None:
    assert parse_columns(["token=0", "tag=-1", "text = body ", "a=b=c"]) == {
        "token": 0, "tag": -1, "text": "body", "a": "b=c",
    }  # fmt: skip
    for wrong in ("tag", "=3", "tag="):
        with pytest.raises(InvalidInput, match="--column"):
            parse_columns([wrong])
