"""The Data page in a real browser: an import that is cancelled, a label set that is changed and changed back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import ServedApp
from workbench.config import Settings
from workbench.domain import Split
from workbench.formats import Source
from workbench.services import Workbench, open_workbench
from workbench.services.importload import new_owner

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def hold(workbench: Workbench, name: str) -> None:
    """Make a project into which somebody who lives is importing, so that another import has to wait."""
    project = workbench.projects.create(name, "ner")
    with workbench.store.write() as tx:
        tx.loads.begin(project.id, [1], 0, new_owner(), 10)


def test_an_import_is_cancelled_and_labels_are_changed_and_changed_back(
    page: Page, serve: Callable[..., ServedApp], tmp_path: Path, sqlite_settings: Settings
) -> None:
    workbench = open_workbench(sqlite_settings)
    served_app = serve(sqlite_settings.home)
    news = workbench.projects.create("news", "ner")
    workbench.datasets.import_sources(
        news, [Source("a.conll", b"EU B-ORG\nParis B-GPE\n\nRhine B-LOC\n")], Split.POOL
    )
    hold(workbench, "held")
    file = tmp_path / "more.conll"
    file.write_text("Ada B-PER\n\nBob B-PER\n", encoding="utf-8")

    # Cancel
    page.goto(served_app.url("Data", project="held", view="import"))
    page.locator("input[type=file]").set_input_files(file)
    main = page.get_by_test_id("stMain")
    main.get_by_role("button", name="Import 2 examples as pool").click()
    expect(main.get_by_text("Writing: 0 of 2 examples")).to_be_visible()
    main.get_by_role("button", name="Cancel the import").click()
    page.get_by_role("button", name="Yes, take it back").click()
    expect(main.get_by_text(re.compile("cancelled", re.IGNORECASE))).to_be_visible()
    expect(main.get_by_role("button", name="Cancel the import")).to_have_count(0)
    assert workbench.datasets.counts(workbench.projects.get("held")).total == 0

    # Labels
    before = workbench.projects.get("news").labels
    page.goto(served_app.url("Data", project="news", view="labels"))
    main.get_by_text("Rename", exact=True).click()
    field = main.get_by_role("textbox", name="New name")
    field.fill("COMPANY")
    field.press("Enter")
    main.get_by_role("button", name=re.compile("^.*Change 1 annotation")).click()
    expect(main.get_by_text(re.compile("renamed .* to COMPANY")).first).to_be_visible()
    assert "COMPANY" in workbench.projects.get("news").label_names
    main.get_by_role("button", name="Undo change 1").click()
    page.get_by_role("button", name="Undo it").click()
    expect(main.get_by_role("button", name="Undo change 1")).to_have_count(0)
    assert workbench.projects.get("news").labels == before
    workbench.close()
