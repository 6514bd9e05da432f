"""``workbench annotate``: a file, a simulated annotator, wrong usage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.labeling.corpus import make_project, make_user
from workbench import cli
from workbench.cli.base import app
from workbench.config import get_settings
from workbench.domain import Span, Spans
from workbench.errors import InvalidInput, NotFound
from workbench.services import Workbench, open_workbench
from workbench.services.annotation import SIMULATED, Submission
from workbench.storage.batches import NewItem


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    cli.load()
    yield open_workbench()
    get_settings.cache_clear()


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["annotate", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_a_file(opened: Workbench, tmp_path: Path) -> None:
    project, ids = make_project(opened)
    path = tmp_path / "a.jsonl"
    some = '"spans": [{"start": 0, "end": 5, "label": "PER"}], "partial": true'
    path.write_text(
        f'{{"example": {ids[0]}, "spans": []}}\n{{"example": {ids[1]}, "spans": 3}}\n{{"example": {ids[0]}, {some}}}\n'
    )
    code, out, _ = run("news", str(path), "--author", "ada", "--json")
    answer = json.loads(out)
    assert (code, answer["stored"], answer["refused"][0]["line"]) == (0, 2, 2)
    said = opened.annotation.history(project, ids[0])[-1].payload
    assert said == Spans((Span(0, 5, "PER"),), partial=True)
    code, out, err = run("news", str(path), "--author", "ada")
    assert code == 0
    assert "2 annotations are stored" in out
    assert err.startswith("line 2: ")


def test_what_was_withdrawn_is_stored_again(opened: Workbench, tmp_path: Path) -> None:
    project, ids = make_project(opened)
    path = tmp_path / "a.jsonl"
    gone = f'{{"example": {ids[1]}, "spans": []}}\n{{"example": {ids[1]}, "status": "withdrawn"}}\n'
    path.write_text(f'{{"example": {ids[0]}, "spans": []}}\n{gone}')

    def given() -> list[list[str]]:
        assert json.loads(run("news", str(path), "--author", "ada", "--json")[1])["stored"] == 3
        return [[str(one.status) for one in opened.annotation.history(project, key)] for key in ids[:2]]

    taken_back = ["accepted", "withdrawn"]
    assert given() == given() == [["accepted"], taken_back], "a file that takes back what it says still does"
    opened.work_changes.withdraw(project, "ada")
    assert given() == given() == [["accepted", "withdrawn", "accepted"], taken_back]
    opened.work_changes.withdraw(project, "ada")
    assert given()[0][-2:] == ["withdrawn", "accepted"]


def test_a_file_answers_a_batch(opened: Workbench, tmp_path: Path) -> None:
    project, ids = make_project(opened)
    with opened.store.write() as tx:
        items = [NewItem(one, None, {"strategy": "random"}) for one in ids[:2]]
        tx.batches.add(project.id, items, strategy="random", unit="examples", size=2, parameters={})
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"example": {one}, "spans": []}}\n' for one in (ids[0], ids[4])))
    code, out, _ = run("news", str(path), "--author", "ada", "--batch", "1", "--json")
    answer = json.loads(out)
    assert (code, answer["stored"], answer["refused"][0]["line"]) == (0, 1, 2)
    assert "not in batch 1" in answer["refused"][0]["message"]
    with opened.store.read() as tx:
        batch = tx.batches.by_number(project.id, 1)
    assert (batch.done, opened.annotation.history(project, ids[0])[0].batch_id) == (1, batch.id)
    assert opened.annotation.history(project, ids[4]) == ()
    missing = CliRunner().invoke(app, ["annotate", "news", str(path), "--author", "ada", "--batch", "2"])
    assert isinstance(missing.exception, NotFound)


def test_an_author_is_a_person_under_one_spelling(opened: Workbench, tmp_path: Path) -> None:
    project, ids = make_project(opened)
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"example": {ids[0]}, "spans": []}}\n')
    for spelling in ("Zo\u00eb", "Zoe\u0308 "):
        run("news", str(path), "--author", spelling)
    assert [one.author for one in opened.annotation.history(project, ids[0])] == ["Zo\u00eb"]
    with opened.store.write() as tx:
        tx.users.find_or_add("robot", system=True)
    for name in ("import", "Simulated", "solo", "label changes", "robot", " ", "a\nb"):
        refused = CliRunner().invoke(app, ["annotate", "news", str(path), "--author", name])
        assert isinstance(refused.exception, InvalidInput), name
    assert len(opened.annotation.history(project, ids[0])) == 1


def test_the_simulated_annotator(opened: Workbench) -> None:
    project, ids = make_project(opened)
    with opened.store.write() as tx:
        tx.annotations.add_oracle((one, '{"spans": []}') for one in ids)
        items = [NewItem(one, None, {"strategy": "random"}) for one in ids[:3]]
        tx.batches.add(project.id, items, strategy="random", unit="examples", size=3, parameters={})
    code, out, _ = run("news", "--batch", "1", "--simulate", "--json")
    assert (code, json.loads(out)) == (0, {"stored": 3, "refused": []})
    assert json.loads(run("news", "--batch", "1", "--simulate", "--json")[1])["stored"] == 0
    simulated = make_user(opened, SIMULATED)
    opened.annotation.submit(project, simulated, [Submission(ids[0], "gone", "withdrawn")])
    assert json.loads(run("news", "--batch", "1", "--simulate", "--json")[1])["stored"] == 1
    history = opened.annotation.history(project, ids[0])
    assert [str(one.status) for one in history] == ["accepted", "withdrawn", "accepted"]


@pytest.mark.parametrize(
    "arguments", [[], ["--simulate"], ["a.jsonl"], ["a.jsonl", "--simulate", "--batch", "1"]]
)
def test_wrong_usage(opened: Workbench, arguments: list[str]) -> None:
    make_project(opened)
    assert run("news", *arguments)[0] == 2
