"""Two people in two browsers on one batch at once: each example is one person's, none is left, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import TIMEOUT_MS, ServedApp
from tests.labeling.corpus import make_project
from tests.labeling.screen import Screen
from workbench.config import Settings
from workbench.domain import Project
from workbench.services import Workbench, open_workbench
from workbench.storage.batches import NewItem

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PASSWORD = "correct horse battery"
TEXTS = [f"Ada met Bob in town {number} ." for number in range(40)]


def with_a_batch(workbench: Workbench) -> tuple[Project, list[int]]:
    project, ids = make_project(workbench, texts=TEXTS)
    with workbench.store.write() as tx:
        items = [NewItem(one, None, {"strategy": "random"}) for one in ids]
        tx.batches.add(project.id, items, strategy="random", unit="examples", size=len(ids), parameters={})
    for name in ("ada", "bob"):
        workbench.team.add_user(name, "annotator", PASSWORD)
    return project, ids


def signed_in(browser: Browser, app: ServedApp, project: Project, name: str) -> Page:
    context = browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.goto(app.url("Label", project=project.name))
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


def test_two_people_on_one_batch(chromium: Browser, serve: Callable[..., ServedApp], tmp_path: Path) -> None:
    opened = open_workbench(Settings(home=tmp_path / "home", database_url=None))
    project, ids = with_a_batch(opened)
    app = serve(tmp_path / "home", WORKBENCH_SAMPLES="false")
    pages = {name: signed_in(chromium, app, project, name) for name in ("ada", "bob")}
    screens = {name: Screen(page, app, project.name).ready() for name, page in pages.items()}
    assert screens["ada"].example != screens["bob"].example
    for _ in range(6):
        for screen in screens.values():
            screen.press("Enter")
    for screen in screens.values():
        screen.expect_status("Saved", timeout=60_000)
    pages["bob"].reload()
    screens["bob"].ready()
    for _ in range(len(ids)):
        if all(screen.root.get_attribute("data-example") == "" for screen in screens.values()):
            break
        for screen in screens.values():
            if screen.root.get_attribute("data-example"):
                screen.press("Enter").page.wait_for_timeout(150)
    for page, screen in zip(pages.values(), screens.values(), strict=True):
        expect(screen.root).to_have_attribute("data-example", "", timeout=60_000)
        screen.expect_status("Saved", timeout=60_000)
        page.context.close()
    authors = [[one.author for one in opened.annotation.history(project, example)] for example in ids]
    opened.close()
    assert all(len(said) == 1 for said in authors), authors
    assert {said[0] for said in authors} == {"ada", "bob"}
