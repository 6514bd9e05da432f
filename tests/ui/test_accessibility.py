"""No page has a serious violation of WCAG 2.2 A or AA that axe-core finds, in light and in dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import TIMEOUT_MS, ServedApp
from tests.everypage import VIEWS, View, settle
from tests.ui import fullhome
from workbench.services.samples import sample_name

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = files("axe_playwright_python").joinpath("axe.min.js")
THEMES: dict[Literal["light", "dark"], str] = {"light": "rgb(255, 255, 255)", "dark": "rgb(19, 25, 31)"}
"""The ground of each on our pages."""
SERIOUS = ("serious", "critical")
GROUND = """(colour) => {
  const app = document.querySelector('[data-testid="stApp"]');  // the sign-in page is none, and changes at once
  const changing = document.getAnimations().some((one) => one instanceof CSSTransition);
  return app === null || (getComputedStyle(app).backgroundColor === colour && !changing);
}"""
FIND = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(document, {
    runOnly: tags, resultTypes: ["violations"], elementRef: false,
  });
  return found.violations.flatMap((rule) => rule.nodes.map((node) => ({
    rule: rule.id, impact: node.impact ?? rule.impact, html: node.html.slice(0, 300), at: node.target.flat().join(" "),
    why: node.failureSummary,
  })));
}"""


@pytest.fixture(scope="module")
def full(serve_all: Callable[..., ServedApp], tmp_path_factory: pytest.TempPathFactory) -> ServedApp:
    """The application over a home in which every page has something to show."""
    home = tmp_path_factory.mktemp("full") / "home"
    home.mkdir()
    fullhome.fill(home)
    return serve_all(home)


@pytest.fixture(scope="module")
def tab(chromium: Browser, full: ServedApp) -> Iterator[Page]:
    """A tab with axe in it, before the sign-in page."""
    context = chromium.new_context(viewport={"width": 1440, "height": 950}, color_scheme="light")
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.goto(full.url())
    yield page
    context.close()


def violations(page: Page, where: str) -> list[dict[str, Any]]:
    """What axe finds that is serious, in both themes; the page is not loaded anew for the second."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = []
    for theme, ground in THEMES.items():
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(GROUND, arg=ground, polling="raf")
        seen = page.evaluate(FIND)
        found += [{"where": f"{where}, {theme}", **one} for one in seen if one["impact"] in SERIOUS]
    page.emulate_media(color_scheme="light")
    return found


def test_signing_in_is_open_to_everybody(tab: Page) -> None:
    assert violations(tab, "sign in") == []
    sign_in(tab)


def sign_in(tab: Page) -> None:
    tab.get_by_label("Name").fill(fullhome.ADMIN)
    tab.get_by_label("Password").fill(fullhome.PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    settle(tab)


def open_view(tab: Page, app: ServedApp, view: View, project: str) -> None:
    view.open(tab, app, project)
    if tab.get_by_role("button", name="Sign in").count():  # another worker has the test that signs in
        sign_in(tab)
        view.open(tab, app, project)
    settle(tab, 300)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_page_is(tab: Page, full: ServedApp, view: View) -> None:
    open_view(tab, full, view, fullhome.PROJECT)
    assert violations(tab, view.name) == []


def test_the_guided_round_is(tab: Page, full: ServedApp) -> None:
    open_view(tab, full, View("tour", "Select"), sample_name("ner"))
    expect(tab.get_by_text("Stop 1 of 5")).to_be_visible()
    assert violations(tab, "the guided round") == []
