"""No page keeps anybody out: axe-core (WCAG 2.2 A and AA) finds nothing serious, in light and in dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import TIMEOUT_MS, ServedApp
from tests.comparison.test_comparison import NER_ROWS, judged_project
from tests.selection.pool import add_examples
from workbench.config import Settings
from workbench.domain import Project, Split
from workbench.services import open_workbench
from workbench.services.evaluation import measure

pytestmark = pytest.mark.browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = (
    ("", {}),
    *(("Data", {"view": view}) for view in ("browse", "import", "labels", "export")),
    ("Select", {}),
    ("Label", {}),
    ("Train", {}),
    ("Compare", {}),
    ("Progress", {}),
    ("Suspects", {}),
    ("Simulate", {}),
    ("Export", {}),
    ("Review", {}),
    ("Team", {}),
)
THEMES: dict[Literal["light", "dark"], str] = {"light": "rgb(255, 255, 255)", "dark": "rgb(19, 25, 31)"}
"""The ground of each."""

STREAMLITS_OWN: tuple[tuple[str, str], ...] = ()
"""(rule, part of the element's markup) of what Streamlit draws so itself and gives no say in."""


def violations(page: Page) -> list[str]:
    """What is serious or critical, a line each: rule, element, what is wrong."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})",
        RULES,
    )
    return [
        f"{one['id']}: {node['html'][:160]} ({node['failureSummary'].splitlines()[1].strip()[:160]})"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
        if not any(rule == one["id"] and part in node["html"] for rule, part in STREAMLITS_OWN)
    ]


def settled(page: Page) -> None:
    """The page's script has run and what it drew stands still."""
    expect(page.get_by_test_id("stMain").locator("h1, .labeler").first).to_be_visible()
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(300)


@pytest.fixture(scope="module")
def furnished(
    serve_all: Callable[..., ServedApp], tmp_path_factory: pytest.TempPathFactory
) -> tuple[ServedApp, Project]:
    """An application over a project that has something to show on every page."""
    home = tmp_path_factory.mktemp("accessible") / "home"
    workbench = open_workbench(Settings(home=home, database_url=None))
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    add_examples(workbench, project, [f"Ada Lind met Bo number {n} ." for n in range(12)])
    for number in (1, 2):
        measure(workbench.store, project, workbench.models.get(project, number), Split.TEST)
    workbench.selection.create(project, workbench.selection.preview(project, "random", 5, seed=1))
    workbench.close()
    return serve_all(home, WORKBENCH_SAMPLES="false"), project


def test_nothing_serious_on_any_page_in_either_theme(
    chromium: Browser, furnished: tuple[ServedApp, Project]
) -> None:
    app, project = furnished
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    wrong = []
    for name, query in PAGES:
        page.goto(app.url(name, project=project.name, **query))
        for theme, ground in THEMES.items():
            page.emulate_media(color_scheme=theme)
            page.wait_for_function(
                "color => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === color",
                arg=ground,
            )
            settled(page)
            wrong += [
                f"{name or 'Home'} {query.get('view', '')} {theme}: {line}" for line in violations(page)
            ]
    context.close()
    assert not wrong, "\n".join(wrong)
