"""The tutorial, word for word in a real browser: what docs/tutorial.md says is done, up to a model that answers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import ServedApp
from tests.e2e.steps import Step, steps
from tests.everypage import settle
from workbench.config import Settings
from workbench.domain import Split
from workbench.services import open_workbench

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
WAIT_MS = 300_000
"""For a training, a pass over the pool, an export, on a machine that does other work as well."""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def named(words: str) -> re.Pattern[str]:
    """The accessible name that shows these words: an icon's name may stand before, help behind a field's."""
    if words.endswith("…"):
        return re.compile(rf"(?:^|\s){re.escape(words.rstrip('… '))}")
    return re.compile(rf"(?:^|\s){re.escape(words)}$")


class Reader:
    """Does what a step says, as a person would: looks for the words, acts, and waits until the page stands."""

    def __init__(self, page: Page, app: ServedApp, folder: Path) -> None:
        self.page = page
        self.app = app
        self.folder = folder
        self.said: list[str] = []
        page.set_default_timeout(WAIT_MS)

    @property
    def main(self) -> Locator:
        return self.page.locator('[data-testid="stMain"], [data-testid="stPopoverBody"]')

    def follow(self, step: Step) -> None:
        """Do it; what goes wrong names the line of the page."""
        act: Callable[[Step], None] = getattr(self, step.kind)
        try:
            act(step)
        except Exception as error:
            error.add_note(f"at line {step.line} of {TUTORIAL.name}: {step.kind} {step.what} {step.field}")
            raise
        if step.kind not in ("key", "sh", "python"):
            settle(self.page)

    # --- in the browser

    def start(self, step: Step) -> None:
        self.page.goto(self.app.url())

    def open(self, step: Step) -> None:
        self.page.get_by_test_id("stSidebar").get_by_role("link", name=named(step.what)).click()
        if step.what != "Home":
            self.page.wait_for_url(f"**/{step.what}*")

    def choose(self, step: Step) -> None:
        field = self.page.get_by_role("combobox", name=re.compile(re.escape(step.field)))
        group = self.page.get_by_role("radiogroup", name=re.compile(re.escape(step.field)))
        expect(field.or_(group).first).to_be_visible()
        if group.count():
            self._choose_one(group, step.what)
            return
        field.click()
        self.page.get_by_role("option", name=named(step.what)).click()
        expect(self.page.get_by_role("option")).to_have_count(0)

    def _choose_one(self, group: Locator, what: str) -> None:
        group.get_by_text(what, exact=True).click()
        chosen = group.get_by_role("radio", name=what, checked=True)
        expect(chosen).to_be_visible()
        other = group.get_by_role("radio", checked=False).first
        # The theme's primary colour can't be read in the dark: a chosen segment has the text's own.
        expect(chosen).to_have_css("color", other.evaluate("element => getComputedStyle(element).color"))

    def write(self, step: Step) -> None:
        field = self.main.get_by_label(named(step.field)).filter(visible=True)
        field.fill(step.what)
        field.press("Tab")
        expect(field).to_have_value(step.what)

    def upload(self, step: Step) -> None:
        expect(self.main.get_by_text(step.field, exact=True)).to_be_visible()
        self.page.locator("input[type=file]").set_input_files(ROOT / step.what)

    def unfold(self, step: Step) -> None:
        summary = self.main.locator("summary").filter(has_text=step.what)
        summary.click()
        unfolded, before = summary.locator("xpath=.."), None
        while (now := unfolded.bounding_box()) != before:  # what moves can't be met
            before = now
            self.page.wait_for_timeout(200)

    def switch_on(self, step: Step) -> None:
        self.main.get_by_text(step.what, exact=True).click()
        expect(self.page.get_by_role("switch", name=step.what)).to_be_checked()

    def key(self, step: Step) -> None:
        for _ in range(int(step.field or 1)):
            self.page.keyboard.press(step.what.replace("→", "ArrowRight"))

    def press(self, step: Step) -> None:
        self.main.get_by_role("button", name=named(step.what)).click()

    def see(self, step: Step) -> None:
        found = self.page.get_by_text(step.what).filter(visible=True).first
        expect(found).to_be_visible(timeout=WAIT_MS)

    def download(self, step: Step) -> None:
        with self.page.expect_download() as started:
            self.main.get_by_role("link", name=named(step.what)).click()
        started.value.save_as(self.folder / started.value.suggested_filename)

    # --- in a terminal

    def sh(self, step: Step) -> None:
        for line in step.what.splitlines():
            program, *arguments = line.split()
            if line == "make run":  # what it runs is being served already
                told = self._run("make", "--dry-run", "run", where=ROOT)
                assert "streamlit run Home.py" in told
            elif program == ".venv/bin/workbench":
                self._run(sys.executable, "-m", "workbench", *arguments, where=ROOT)
            elif program == "python":
                self._run(sys.executable, *arguments, where=self.folder)
            else:  # this is the clone
                assert program in ("git", "cd"), f"a line that the test can't follow: {line}"

    def python(self, step: Step) -> None:
        self.said.append(self._run(sys.executable, "-I", "-c", step.what, where=self.folder))

    def _run(self, *command: str, where: Path) -> str:
        environment = {**os.environ, "WORKBENCH_HOME": str(self.app.home)}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=where, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def test_the_tutorial_leads_word_for_word_to_a_model_that_answers(
    page: Page, served_app: ServedApp, tmp_path: Path
) -> None:
    reader = Reader(page, served_app, tmp_path)
    for step in steps(TUTORIAL.read_text(encoding="utf-8")):
        reader.follow(step)
    (answer,) = reader.said
    assert answer.startswith("[") and answer.endswith("]\n")

    workbench = open_workbench(Settings(home=served_app.home, database_url=None))
    sample, mine = (workbench.projects.get(name) for name in ("sample-ner", "my news"))
    first = workbench.datasets.example(sample, workbench.selection.items(sample, 1)[0].example_id)
    (annotation,) = workbench.annotation.history(sample, first.id)
    (span,) = annotation.payload.spans
    assert (first.content.text[span.start : span.end], span.label) == ("Castell & Voss", "ORG")
    assert workbench.team.solo()
    assert workbench.datasets.counts(sample).gold[Split.POOL] == 80
    assert [version.number for version in workbench.models.list(sample)] == [1, 2]
    assert set(workbench.evaluation.latest(sample, "test")) == {1, 2}
    counts = workbench.datasets.counts(mine)
    assert counts.examples[Split.POOL] == 320 and counts.gold[Split.POOL] == 0, "the labels were kept aside"
    workbench.close()
