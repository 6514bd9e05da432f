"""``workbench user``, ``backup``, ``restore`` and ``doctor`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from workbench.cli import load
from workbench.cli.base import app
from workbench.config import get_settings
from workbench.errors import AlreadyExists, InvalidInput, NotFound, WrongState

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home that commands work in."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    monkeypatch.setattr("workbench.services.maintenance.run_python", lambda arguments: "cpu (a test)\n")
    get_settings.cache_clear()
    load()
    return tmp_path


def run(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=given)


def test_accounts(home: Path) -> None:
    assert json.loads(run("user", "list", "--json").stdout) == []
    done = run("user", "add", "anna", "--role", "admin", "--password-stdin", "--json", given=PASSWORD + "\n")
    assert json.loads(done.stdout) == {"name": "anna", "role": "admin", "active": True}
    assert isinstance(run("user", "add", "anna", "--password-stdin", given=PASSWORD).exception, AlreadyExists)
    assert isinstance(run("user", "add", "otto", "--password-stdin", given="").exception, InvalidInput)
    assert isinstance(run("user", "add", "otto", given=PASSWORD).exception, InvalidInput)
    assert run("user", "list").stdout.split() == ["anna", "admin"]
    assert (
        run("user", "reset-password", "anna", "--password-stdin", given="another password\n").exit_code == 0
    )
    assert isinstance(
        run("user", "reset-password", "otto", "--password-stdin", given=PASSWORD).exception, NotFound
    )
    assert PASSWORD not in run("user", "list", "--json").output


def test_no_command_takes_a_password_as_an_argument() -> None:
    for command in ("add", "reset-password"):
        assert run("user", command, "anna", "--password", PASSWORD).exit_code == 2


def test_backup_restore_doctor(home: Path) -> None:
    sick = run("doctor", "--json")
    assert sick.exit_code == 1 and not json.loads(sick.stdout)["ok"]
    assert str(sick.exception) == "something is wrong: database. Do what is said of each"
    assert "workbench init" in run("doctor").stdout
    run("project", "create", "kept", "--task", "ner")
    done = run("backup", str(home / "b.db"), "--json")
    assert json.loads(done.stdout)["bytes"] > 0
    run("project", "create", "later", "--task", "ner")
    restored = json.loads(run("restore", str(home / "b.db"), "--json").stdout)
    assert Path(restored["replaced"]).is_file()
    well = run("doctor", "--json")
    assert well.exit_code == 0 and json.loads(well.stdout)["ok"], well.stdout


def test_a_persons_work_is_withdrawn_and_put_back(home: Path) -> None:
    run("project", "create", "news", "--task", "ner", "--labels", "PER")
    text, answer = home / "a.jsonl", home / "answers.jsonl"
    text.write_text(json.dumps({"id": "a-1", "text": "Ada met Bob ."}) + "\n")
    answer.write_text(json.dumps({"external_id": "a-1", "spans": []}) + "\n")
    assert run("import", "news", str(text), "--split", "pool").exit_code == 0
    assert run("annotate", "news", str(answer), "--author", "ada").exit_code == 0
    role = run("user", "set-role", "ada", "lead", "--project", "news", "--json")
    assert json.loads(role.stdout)["project_role"] == "lead", "an author without an account has a role too"
    seen = json.loads(run("work", "withdraw", "news", "ada", "--dry-run", "--json").stdout)
    assert (seen["examples"], seen["gold"]) == (1, 1)
    assert isinstance(run("work", "withdraw", "news", "ada").exception, InvalidInput), "nobody to ask"
    assert isinstance(
        run("work", "withdraw", "news", "ada", "--since", "May", "--yes").exception, InvalidInput
    )
    done = json.loads(run("work", "withdraw", "news", "ada", "--yes", "--note", "why", "--json").stdout)
    assert (done["number"], done["state"], done["effect"]) == (1, "done", {"annotations": 1, "gold": 1})
    told = json.loads(run("numbers", "news", "--csv", str(home / "work.csv"), "--json").stdout)
    assert (told["people"]["ada"]["examples"], told["everybody"]["f1"]) == (1, None)
    assert (home / "work.csv").read_text().startswith("person,day,examples,")
    assert "ada" in run("numbers", "news", "--days", "1").stdout
    assert "1 come back" in run("work", "undo", "news", "1", "--dry-run").stdout
    back = json.loads(run("work", "undo", "news", "1", "--yes", "--json").stdout)
    assert back == {"back": 1, "again": 0, "others": 0, "unfit": 0}
    assert isinstance(run("work", "go-on", "news", "1").exception, WrongState)
    assert isinstance(run("work", "reassign", "news", "ada", "--yes").exception, WrongState)
    assert "undone" in run("work", "history", "news").stdout


def test_guidelines_in_versions(home: Path) -> None:
    run("project", "create", "news", "--task", "ner", "--labels", "PER")
    text = home / "how.md"
    assert isinstance(run("guidelines", "set", "news", str(text)).exception, InvalidInput), "no such file"
    for line in ("Mark names.", "Mark names.\nAnd [titles]."):
        text.write_text(line)
        done = run("guidelines", "set", "news", str(text), "--note", "titles", "--json")
    assert json.loads(done.stdout) == {"version": 2}
    assert (
        "Nothing has changed"
        in run("guidelines", "set", "news", "-", given="Mark names.\nAnd [titles].").stdout
    )
    assert run("guidelines", "show", "news").stdout == "Mark names.\nAnd [titles].\n"
    assert run("guidelines", "diff", "news").stdout == "  Mark names.\n+ And [titles].\n"
    assert json.loads(run("guidelines", "restore", "news", "1", "--json").stdout) == {"version": 3}
    rows = json.loads(run("guidelines", "history", "news", "--json").stdout)
    assert [(row["number"], row["note"]) for row in rows][:2] == [(3, "Version 1 again"), (2, "titles")]
    assert isinstance(run("guidelines", "example", "news", "a-1").exception, NotFound)


def test_a_reviewer_is_told_what_is_asked(home: Path) -> None:
    run("project", "create", "mill", "--task", "qa")
    asked = {"id": "q1", "question": "When?", "answers": []}
    squad = {
        "version": "v2.0",
        "data": [{"title": "t", "paragraphs": [{"context": "In 1911 .", "qas": [asked]}]}],
    }
    (home / "squad.json").write_text(json.dumps(squad))
    assert run("import", "mill", str(home / "squad.json"), "--split", "pool", "--unlabeled").exit_code == 0
    run("project", "share", "mill", "--people", "2")
    for name, start in (("ada", 0), ("bob", 3)):
        answer = {"external_id": "q1", "answers": [{"start": start, "end": 7}]}
        (home / "answers.jsonl").write_text(json.dumps(answer) + "\n")
        assert run("annotate", "mill", str(home / "answers.jsonl"), "--author", name).exit_code == 0
    found = json.loads(run("review", "list", "mill", "--json").stdout)
    assert [(one["text"], one["question"]) for one in found["examples"]] == [("In 1911 .", "When?")]
    assert "When?" in run("review", "list", "mill").stdout
