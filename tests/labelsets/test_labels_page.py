"""The Data page's tab "Labels": preview, change, history, undo; and the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.data.test_data_page import button, open_data, said
from workbench import cli
from workbench.cli.base import app as commands
from workbench.domain import Project, Split
from workbench.errors import WorkbenchError
from workbench.formats import Source
from workbench.services import Workbench
from workbench.web.shared import shared_workbench

CONLL = b"EU B-ORG\nParis B-GPE\n\nRhine B-LOC\n\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    yield opened
    opened.close()


@pytest.fixture
def news(home: Workbench) -> Project:
    project = home.projects.create("news", "ner")
    home.datasets.import_sources(project, [Source("a.conll", CONLL)], Split.POOL)
    return home.projects.get("news")


def test_a_change_is_previewed_made_and_undone(home: Workbench, news: Project) -> None:
    page = open_data(view="labels")
    assert not page.exception
    assert "ORG" in said(page)
    kind = next(item for item in page.button_group if item.label == "What to do")
    kind.set_value("rename").run()
    next(item for item in page.selectbox if item.label == "Label").select("ORG").run()
    next(item for item in page.text_input if item.label == "New name").set_value("COMPANY").run()
    assert not page.exception
    assert "1 annotation of 1 example is written anew, 1 of them accepted" in said(page)
    assert "COMPANY" not in home.projects.get("news").label_names
    button(page, "Change 1 annotation").click().run()
    assert not page.exception
    assert "renamed ORG to COMPANY" in said(page)
    assert "COMPANY" in home.projects.get("news").label_names
    button(page, "Undo it").click().run()
    assert not page.exception
    assert home.projects.get("news").labels == news.labels
    assert home.labelsets.history(news)[0].undone_at is not None


def test_what_makes_no_sense_is_told_and_not_offered(home: Workbench, news: Project) -> None:
    page = open_data(view="labels")
    next(item for item in page.text_input if item.label == "Name").set_value("ORG").run()
    assert "a label named 'ORG' already" in page.error[0].value
    assert not any("Change" in item.label for item in page.button)


def test_a_label_that_was_added_is_not_asked_for_again(home: Workbench, news: Project) -> None:
    page = open_data(view="labels")
    next(item for item in page.text_input if item.label == "Name").set_value("EVENT").run()
    button(page, "Change the set").click().run()
    assert "added EVENT" in said(page) and not page.error
    assert next(item for item in page.text_input if item.label == "Name").value == ""


def test_what_is_typed_about_a_label_stays_in_its_project(home: Workbench, news: Project) -> None:
    other = home.projects.create("other", "ner", ["ORG"])
    page = open_data(view="labels", project="news")
    next(item for item in page.button_group if item.label == "What to do").set_value("describe").run()
    next(item for item in page.selectbox if item.label == "Label").select("ORG").run()
    next(item for item in page.text_area if item.label.startswith("What it means")).set_value("firms").run()
    button(page, "Change the set").click().run()
    page.selectbox(key=f"workbench_project_choice_{news.id}").select(other.name).run()
    assert not page.exception
    assert next(item for item in page.text_area if item.label.startswith("What it means")).value == ""
    assert not [item for item in page.button if item.label == "Change the set"]


def test_a_split_asks_for_words_and_leads_to_a_batch(home: Workbench, news: Project) -> None:
    page = open_data(view="labels")
    next(item for item in page.button_group if item.label == "What to do").set_value("split").run()
    next(item for item in page.selectbox if item.label == "Label").select("GPE").run()
    assert "GPE stands on 1 different word" in said(page)
    button(page, "Change 1 annotation").click().run()
    assert not page.exception
    assert "Batch 1 holds what is to be decided again" in said(page)


def test_questions_have_no_labels_tab_content(home: Workbench) -> None:
    home.projects.create("q", "qa")
    assert "no label set" in said(open_data(view="labels"))


def run(*words: str) -> object:
    cli.load()
    done = CliRunner().invoke(commands, ["labels", *words, "--json"])
    if isinstance(done.exception, WorkbenchError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_commands(home: Workbench, news: Project, tmp_path: Path) -> None:
    from workbench.config import get_settings

    get_settings.cache_clear()
    try:
        rules = tmp_path / "rules.csv"
        rules.write_text("paris,CITY\n", encoding="utf-8")
        run("add", "news", "EVENT", "--description", "what happens", "--color", "#123456")
        run("rename", "news", "ORG", "COMPANY")
        seen = run("split", "news", "GPE", "--rules", str(rules), "--rest", "GPE", "--dry-run")
        assert isinstance(seen, dict) and seen["effect"]["uses"] == 1
        run("split", "news", "GPE", "--rules", str(rules), "--rest", "GPE")
        run("merge", "news", "LOC", "CITY", "--into", "PLACE")
        run("recolour", "news", "EVENT", "#654321")
        run("describe", "news", "COMPANY", "firms")
        run("retire", "news", "EVENT")
        run("restore", "news", "EVENT")
        listed = run("list", "news")
        assert isinstance(listed, list)
        assert {row["name"]: row["uses"] for row in listed} == {
            "COMPANY": 1,
            "GPE": 0,
            "PLACE": 2,
            "EVENT": 0,
        }
        history = run("history", "news")
        assert isinstance(history, list) and len(history) == 8
        for number in range(8, 0, -1):
            run("undo", "news", "--change", str(number))
        assert home.projects.get("news").labels == news.labels
        for words in (["split", "news", "GPE"], ["split", "news", "GPE", "--move", "x", "--ask"]):
            with pytest.raises(WorkbenchError):
                run(*words)
    finally:
        get_settings.cache_clear()
