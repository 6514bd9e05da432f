"""Signing in and out as a person does it, in a real browser; a page left open shows nothing new after sign-out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import ServedApp
from workbench.config import Settings
from workbench.services import open_workbench

PASSWORD = "correct horse battery"
SLOW = 120_000

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_in_by_a_deep_link_and_out_again(page: Page, serve: Callable[..., ServedApp], tmp_path: Path) -> None:
    opened = open_workbench(Settings(home=tmp_path / "home", database_url=None))
    opened.projects.create("first", "ner")
    opened.projects.create("secret plans", "ner")
    opened.team.add_user("anna", "lead", PASSWORD)
    opened.close()
    app = serve(tmp_path / "home", WORKBENCH_SAMPLES="false")

    page.goto(app.url("", project="first"))
    expect(page.get_by_role("heading", name="Annotation Workbench")).to_be_visible()
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_label("Name")).to_have_value("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="first")).to_be_visible(timeout=SLOW)
    assert "project=first" in page.url

    left_open = page.context.new_page()
    left_open.goto(app.url("", project="first"))
    expect(left_open.get_by_role("heading", name="first")).to_be_visible(timeout=SLOW)

    page.reload()
    expect(page.get_by_text("anna · lead")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(app.url("Data", project="first"))
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()

    left_open.get_by_role("button", name="New project").click()
    left_open.get_by_role("link", name="Open", exact=True).click()
    left_open.wait_for_timeout(3_000)
    expect(left_open.get_by_role("heading", name="secret plans")).not_to_be_visible()
