"""The Compare page in a real browser: what is drawn first, what a click on the matrix opens, at two widths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import ServedApp
from tests.comparison.test_comparison import NER_ROWS, judged_project
from workbench.config import Settings
from workbench.domain import Split
from workbench.services import open_workbench
from workbench.services.evaluation import measure

pytestmark = pytest.mark.browser

HEAVY = "vega", "embed.", "DataFrame", "arrow"
"""Of the names of what Streamlit loads to draw charts and tables; two megabytes that would stand before the verdict."""


def test_the_verdict_needs_no_chart_library_and_a_cell_opens_its_examples(
    page: Page, serve: Callable[..., ServedApp], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    workbench = open_workbench(Settings(home=home, database_url=None))
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    for number in (1, 2):
        measure(workbench.store, project, workbench.models.get(project, number), Split.TEST)
    sentence = workbench.comparison.compare(project, 1, 2).sentence
    workbench.close()
    app = serve(home)
    loaded: list[str] = []
    page.on("requestfinished", lambda request: loaded.append(request.url.rsplit("/", 1)[-1]))
    page.set_viewport_size({"width": 1024, "height": 900})
    page.goto(app.url("Compare", project=project.name))
    expect(page.get_by_text(sentence)).to_be_visible()
    rows = page.locator(".forest tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("PER")
    assert page.evaluate(
        "document.querySelector('.forest').scrollWidth <= document.querySelector('.forest').clientWidth"
    )
    assert not [name for name in loaded if name.startswith(HEAVY)]

    page.get_by_role("radio", name="Worst first").click()
    expect(rows.nth(2)).to_contain_text("PER")
    page.get_by_role("radio", name="Confusion").click()
    chosen = page.get_by_role("combobox", name="Examples behind a cell")
    expect(chosen).to_have_value("(nothing) → ORG · 1")
    cells = page.locator("[data-testid='stVegaLiteChart'] .mark-rect path")
    expect(cells).to_have_count(2)
    for cell in ("PER → PER · 4", "(nothing) → ORG · 1"):
        written = f".mark-text text[aria-label*='In gold: {cell.split(' ')[0]};']"
        page.get_by_test_id("stVegaLiteChart").locator(written).click()
        expect(chosen).to_have_value(cell)
    expect(page.get_by_text("1 example", exact=True)).to_be_visible()
    assert "cell" not in page.url
