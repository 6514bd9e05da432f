"""The whole loop as a newcomer walks it, in a real browser: import, label with keys, train, compare, export."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import ServedApp
from workbench.config import Settings
from workbench.domain import Evaluation
from workbench.services import open_workbench

SAMPLE = Path(__file__).parents[2] / "workbench" / "samples" / "tokens.conll"
MINUTES = 60_000

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def documents() -> list[str]:
    """The sample's documents, each with its ``-DOCSTART-`` line."""
    return re.split(r"^(?=-DOCSTART-)", SAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def button(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stMain").get_by_role("button", name=name)


def import_file(page: Page, app: ServedApp, path: Path, split: str, *, aside: bool = False) -> None:
    """Bring a file in by the Data page, as the named split."""
    page.goto(app.url("Data", project="walk", view="import"))
    page.locator("input[type=file]").set_input_files(path)
    if split != "pool":
        page.get_by_role("combobox", name=re.compile("What the examples are for")).click()
        page.get_by_role("option", name=split.capitalize(), exact=True).click()
    if aside:
        page.get_by_text("Options", exact=True).click()
        kept = page.locator("input[aria-label='Keep the labels aside']")
        while not kept.is_checked():  # a click while the options unfold may miss
            page.get_by_text("Keep the labels aside").click()
            page.wait_for_timeout(500)
    button(page, f"as {split}").click(timeout=MINUTES)
    expect(page.get_by_text(re.compile(r"Imported \d+ examples"))).to_be_visible(timeout=MINUTES)


def wait_for(look: Callable[[], dict[int, Evaluation]], seconds: float = 180) -> dict[int, Evaluation]:
    """What it finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.3)
    return found


def test_a_newcomer_walks_the_whole_loop(page: Page, served_app: ServedApp, tmp_path: Path) -> None:
    page.set_default_timeout(2 * MINUTES)
    expect.set_options(timeout=MINUTES)
    parts = documents()
    for name, chosen in (("train", parts[:12]), ("pool", parts[12:14]), ("test", parts[14:20])):
        (tmp_path / f"{name}.conll").write_text("".join(chosen), encoding="utf-8")
    settings = Settings(home=served_app.home, database_url=None)
    workbench = open_workbench(settings)
    workbench.projects.create("walk", "ner", ["PER", "ORG", "LOC", "MISC"])

    # Import
    import_file(page, served_app, tmp_path / "train.conll", "train")
    import_file(page, served_app, tmp_path / "pool.conll", "pool", aside=True)
    import_file(page, served_app, tmp_path / "test.conll", "test")
    counts = workbench.datasets.counts(workbench.projects.get("walk"))
    assert counts.gold["pool"] == 0
    assert counts.gold["train"] == counts.examples["train"] > 50

    # Label two examples with keys: the first two words of the first are a person
    page.goto(served_app.url("Label", project="walk"))
    labeler = page.locator(".labeler")
    expect(labeler).to_have_attribute("data-example", re.compile(r"\d+"))
    first = labeler.get_attribute("data-example")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(labeler).not_to_have_attribute("data-example", first or "")
    page.keyboard.press("Enter")
    expect(labeler.locator("[data-ref=status]")).to_have_text("Saved", timeout=MINUTES)
    project = workbench.projects.get("walk")
    assert workbench.datasets.counts(project).gold["pool"] == 2
    (annotation,) = workbench.annotation.history(project, int(first or 0))
    assert workbench.team.solo()
    assert [(span.start, span.label) for span in annotation.payload.spans] == [(0, "PER")]

    # Train
    page.goto(served_app.url("Train", project="walk"))
    page.get_by_text("Quick", exact=True).click()
    chosen = page.get_by_role("radio", name="Quick", checked=True)
    expect(chosen).to_be_visible()
    other = page.get_by_role("radio", name="Balanced")
    # The theme's primary colour can't be read in the dark: a chosen segment has the text's own.
    expect(chosen).to_have_css("color", other.evaluate("element => getComputedStyle(element).color"))
    button(page, "Train").click()
    expect(page.get_by_text(re.compile("Version 1")).first).to_be_visible(timeout=4 * MINUTES)
    (version,) = workbench.models.list(project)

    # Compare
    page.goto(served_app.url("Compare", project="walk"))
    button(page, "Measure").click()
    measured = wait_for(lambda: workbench.evaluation.latest(project, "test"))
    assert measured[version.number].examples == counts.gold["test"]

    # Export
    page.goto(served_app.url("Export", project="walk"))
    button(page, "Export and check").click()
    expect(page.get_by_text(re.compile("predicted the same on"))).to_be_visible(timeout=3 * MINUTES)
    button(page, "Prepare a zip").click()
    with page.expect_download(timeout=MINUTES) as download:
        page.get_by_role("link", name=re.compile("Download")).click()
    packed, folder = tmp_path / "model.zip", tmp_path / "model"
    download.value.save_as(packed)
    shutil.unpack_archive(packed, folder)
    (model,) = {path.parent for path in folder.rglob("config.json")}
    said = subprocess.run(
        [sys.executable, "-I", "-c", USE, str(model)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert {entity["entity_group"] for entity in json.loads(said.stdout)} <= {"PER", "ORG", "LOC", "MISC"}
    workbench.close()


USE = """
import json, sys
from transformers import pipeline
tagger = pipeline("word-classification", model=sys.argv[1], trust_remote_code=True)
found = tagger("Anna Weiss of Harbour Glass flew from Oslo to Lisbon.")
print(json.dumps([{**one, "score": float(one["score"])} for one in found], default=str))
"""
