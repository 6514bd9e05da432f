"""Script in label names, texts, ids, comments, file names, guidelines, people's names: none of it runs on any page."""

from __future__ import annotations

import json
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
from workbench.services.annotation import Submission

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PASSWORD = "correct horse battery"
TRAPS = (
    "<script>window.ran=1</script>",
    '<img src=x onerror="window.ran=1">',
    "<svg onload=window.ran=1>",
    "[x](javascript:window.ran=1)",
    '"><iframe srcdoc="<script>parent.ran=1</script>">',
)
PLACES = (
    "Data",
    "Label",
    "Select",
    "Train",
    "Compare",
    "Export",
    "Simulate",
    "Team",
    "Review",
    "Progress",
    "Suspects",
)


def hostile(workbench: Workbench) -> tuple[str, int]:
    """A project in which everything that a person can name is a trap; its name and an example's id."""
    trap = " ".join(TRAPS)
    name = f"p {TRAPS[1]}".replace("/", "")
    project = workbench.projects.create(name, "ner", [each.replace("/", "") for each in TRAPS[:3]])
    shown = f"> {TRAPS[0]} [word]{{{TRAPS[1]}}}"
    workbench.projects.set_guidelines(project, f"# {trap}\n\n{trap}\n\n{shown}")
    labels = project.label_names
    lines = [
        {
            "id": f"{trap} {number}",
            "document": trap,
            "text": f"word {trap}",
            "tokens": [[0, 4]],
            "spans": [{"start": 0, "end": 4, "label": labels[number % 3]}],
            "meta": {trap: trap},
        }
        for number in range(4)
    ]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    workbench.datasets.import_sources(project, [Source(f"{TRAPS[1]}.jsonl", data)], Split.POOL)
    user = workbench.team.add_user(TRAPS[1], "lead", PASSWORD)
    example = workbench.datasets.browse(project).items[0]
    answer = Submission(example.id, "c1", payload={"spans": []}, comment=trap)
    assert workbench.annotation.submit(project, user, [answer])[0].stored
    workbench.guidelines.see(project, user, 1)
    workbench.guidelines.write(project, f"{trap}\n\n{shown} {trap}", note=trap)
    return name, example.id


def test_nothing_of_what_people_write_runs(
    page: Page, serve: Callable[..., ServedApp], tmp_path: Path
) -> None:
    opened = open_workbench(Settings(home=tmp_path / "home", database_url=None))
    name, example = hostile(opened)
    opened.close()
    app = serve(tmp_path / "home", WORKBENCH_SAMPLES="false")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(app.url("", project=name))
    page.get_by_label("Name").fill(TRAPS[1])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    _settled(page, "Home")
    links = page.get_by_test_id("stSidebar").get_by_role("link")
    for place in PLACES:
        # By the sidebar, as people go: the page is drawn, but all of Streamlit is not loaded again.
        links.filter(has_text=place).first.click()
        expect(page).to_have_title(re.compile(f"^{place}"), timeout=60_000)
        _settled(page, place)
    for view in ("browse", "labels", "export", "import"):
        page.goto(app.url("Data", project=name, view=view))
        _settled(page, f"Data, {view}")
    for view in ("guidelines", "work"):
        page.goto(app.url("Team", project=name, view=view))
        _settled(page, f"Team, {view}")
    page.goto(app.url("Data", project=name, example=str(example)))
    expect(page.get_by_role("heading", name="History")).to_be_visible(timeout=60_000)
    expect(page.get_by_text(re.compile("word.*<script>")).first).to_be_visible()
    _settled(page, "an opened example")


def _settled(page: Page, place: str) -> None:
    """Wait until the page is drawn; nothing of the traps has become an element, and none has run."""
    expect(page.get_by_test_id("stSidebar")).to_be_visible(timeout=60_000)
    page.wait_for_function(
        "document.querySelector('.stApp')?.dataset.testScriptState === 'notRunning'", timeout=60_000
    )
    assert page.evaluate("window.ran") is None, place
    found = page.evaluate(
        "[...document.querySelectorAll('img[src=x], iframe[srcdoc], svg[onload], a[href^=javascript]')].length"
    )
    assert found == 0, place
