"""The command-line contract that others build on: names, ``--json``, exit codes, one line on stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from workbench import cli
from workbench.cli.base import app

COMMANDS = """
    init | demo | project create | project list | project show | import | train | runs list | runs show | runs logs
    | runs cancel | runs resume | score | select | annotate | evaluate | compare | promote | models | export-model
    | export-data | predict | user add | user list | user reset-password | backup | restore | doctor
"""


def commands() -> dict[str, list[str]]:
    """Every command by its words, with its options' names."""
    cli.load()
    found: dict[str, list[str]] = {}

    def walk(command: object, words: tuple[str, ...]) -> None:
        children = getattr(command, "commands", None)
        if children:
            for name, child in children.items():
                walk(child, (*words, name))
        else:
            found[" ".join(words)] = [option for p in command.params for option in p.opts]  # type: ignore[attr-defined]

    walk(typer.main.get_command(app), ())
    return found


@pytest.mark.parametrize("name", [" ".join(part.split()) for part in COMMANDS.split("|")])
def test_the_command_is_there(name: str) -> None:
    assert name in commands()


def test_every_command_takes_json() -> None:
    assert [name for name, options in commands().items() if "--json" not in options] == []


def test_each_command_is_found_without_the_other_modules() -> None:
    told = "import json, sys; from workbench import cli; from typer.main import get_command; cli.load(sys.argv[1]); "
    told += "print(json.dumps(sorted(get_command(cli.app).commands)))"
    loaded = {
        first: json.loads(subprocess.check_output([sys.executable, "-c", told, first], text=True))
        for first in ("import", "annotate", "nonsense")
    }
    everything = sorted({name.split()[0] for name in commands()})
    assert (
        sorted(name for names in cli.MODULES.values() for name in names) == everything == loaded["nonsense"]
    )
    assert loaded["annotate"] == ["annotate"]
    assert "import" in loaded["import"]


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "WORKBENCH_HOME": str(home), "PYTHONWARNINGS": "error"}
    environment.pop("WORKBENCH_DATABASE_URL", None)
    command = [sys.executable, "-m", "workbench", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_where_a_simulation_can_not_write_it_does_not_begin(tmp_path: Path) -> None:
    run(tmp_path, "project", "create", "news", "--task", "ner", "--labels", "PER")
    (tmp_path / "file").touch()
    done = run(tmp_path, "simulate", "news", "--out", str(tmp_path / "file" / "out"))
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == f"error: {tmp_path}/file/out can't be written (Not a directory). Choose another place\n"
    )


def test_success_is_one_document_on_stdout(tmp_path: Path) -> None:
    assert run(tmp_path, "init", "--json").returncode == 0
    made = run(tmp_path, "project", "create", "news", "--task", "ner", "--labels", "PER, ORG", "--json")
    assert made.returncode == 0
    assert [label["name"] for label in json.loads(made.stdout)["labels"]] == ["PER", "ORG"]
    assert [project["name"] for project in json.loads(run(tmp_path, "project", "list", "--json").stdout)] == [
        "news"
    ]
    assert json.loads(run(tmp_path, "project", "show", "news", "--json").stdout)["task"] == "ner"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("project", "show", "nothing"), "error: there is no project named 'nothing'"),
        (("project", "create", "news", "--task", "nre"), "error: there is no task type named 'nre'"),
        (("models", "nothing", "--json"), "error: there is no project named 'nothing'"),
        (("runs", "show", "9" * 20), "error: a number is larger than any that is kept here."),
    ],
)
def test_a_mistake_is_one_line_and_exit_1(tmp_path: Path, words: tuple[str, ...], line: str) -> None:
    done = run(tmp_path, *words)
    assert done.returncode == 1
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("words", [("no-such-command",), ("project", "create"), ("init", "--wrong")])
def test_wrong_usage_exits_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_what_people_call_things_is_printed_as_it_is(tmp_path: Path) -> None:
    labels = "[PER],:smile:,[/q]"
    assert run(tmp_path, "project", "create", "[b]x", "--task", "ner", "--labels", labels).stdout == (
        "Project [b]x (ner) is made.\n"
    )
    shown = run(tmp_path, "project", "show", "[b]x")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("[b]x, ner: [PER], :smile:, [/q]\n")
    listed = run(tmp_path, "labels", "list", "[b]x")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert all(label in listed.stdout for label in labels.split(","))
    answers = tmp_path / "a.jsonl"
    answers.write_text('{"example": 1, "status": "[/x]"}\n')
    refused = run(tmp_path, "annotate", "[b]x", str(answers), "--author", "ada")
    assert refused.returncode == 1
    assert refused.stderr.startswith("line 1: there is no status '[/x]'.")


def test_what_ends_with_1_says_so_on_stderr_beside_its_document(tmp_path: Path) -> None:
    run(tmp_path, "project", "create", "news", "--task", "ner")
    answers = tmp_path / "a.jsonl"
    answers.write_text('{"example": 1, "spans": []}\n')
    done = run(tmp_path, "annotate", "news", str(answers), "--author", "ada", "--json")
    assert (done.returncode, json.loads(done.stdout)["stored"]) == (1, 0)
    assert done.stderr == (
        "error: nothing of the file is stored; lines refused: 1. Mend them and give it again\n"
    )
