"""Takes a picture of every page of the running application: `python docs/make_pictures.py FOLDER`.

Makes a home by the command line as a reader of the docs would (the demo's two rounds on the sample, a batch that
waits, a search for label errors, two people who disagree, an account to sign in with), serves it, and photographs
every page at 1,440 and 1,024 pixels, light and dark. `--home` keeps the home for the next time; `--docs` writes the
pictures that README and docs show instead.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import ARGUMENTS, NAMES, ServedApp
from tests.conftest import free_port
from tests.everypage import VIEWS, View, settle

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "demo-ner"
PICTURES = ROOT / "docs" / "pictures"
WIDTHS = (1440, 1024)
HEIGHT = 900
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LATE_MS = 900
"""Charts and tables are drawn after the page's script has ended."""
PEOPLE = {"mira": "admin", "ada": "annotator", "bo": "annotator"}
PASSWORD = "correct horse battery"
DISPUTED = 8
"""Examples that two people label, not alike."""
SHOWN = ("home", "select", "label", "compare", "progress")
"""Views that the docs show."""


# --- a home to photograph ----------------------------------------------------------------------------


def fill(home: Path) -> None:
    """Everything that the pages can show, by the command line; some minutes on two cores."""
    say(home, "demo", "--task", "ner")
    say(home, "score", PROJECT, "--model-version", "2")
    batch = json.loads(say(home, "select", PROJECT, "--strategy", "mnlp", "--size", "30", "--json"))
    say(home, "suspects", PROJECT, "--find", "--preset", "quick")
    replay = ("--seeds", "2", "--batch-words", "300", "--rounds", "3", "--preset", "quick", "--no-full")
    say(home, "simulate", PROJECT, *replay)
    for name, role in PEOPLE.items():
        say(home, "user", "add", name, "--role", role, "--password-stdin", typed=f"{PASSWORD}\n")
    say(home, "project", "share", PROJECT, "--people", "2", "--agree", "2")
    for name, longest in (("ada", 3), ("bo", 1)):
        file = home / f"{name}.jsonl"
        file.write_text("".join(answer(one, longest) for one in batch["items"][:DISPUTED]), encoding="utf-8")
        say(home, "annotate", PROJECT, str(file), "--author", name)


def answer(item: dict[str, object], longest: int) -> str:
    """A line for `workbench annotate`: the first capitalised words, ``longest`` at most, are a person."""
    found = re.search(rf"[A-Z]\w+(?: [A-Z]\w+){{0,{longest - 1}}}", str(item["text"]))
    spans = [{"start": found.start(), "end": found.end(), "label": "PER"}] if found else []
    return json.dumps({"example": item["example"], "spans": spans}) + "\n"


def say(home: Path, *words: str, typed: str | None = None) -> str:
    """Run a command of the workbench's; what it printed."""
    print(f"workbench {' '.join(words)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "workbench", *words],
        env={**os.environ, "WORKBENCH_HOME": str(home)},
        cwd=ROOT,
        input=typed,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


# --- the pictures ------------------------------------------------------------------------------------


@contextmanager
def served(home: Path) -> Iterator[ServedApp]:
    """The application over the home, ended with the block."""
    app = ServedApp(home, free_port())
    app.start()
    try:
        yield app
    finally:
        app.kill()


@contextmanager
def tab(browser: Browser, width: int, theme: Literal["light", "dark"]) -> Iterator[Page]:
    """A tab of that width in that theme."""
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=theme)
    context.set_default_timeout(120_000)
    yield context.new_page()
    context.close()


def sign_in(page: Page, app: ServedApp) -> None:
    """Sign in where the home has accounts."""
    page.goto(app.url())
    page.wait_for_selector("h1")
    if page.get_by_label("Password").count():
        page.get_by_label("Name").fill(next(iter(PEOPLE)))
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("[data-testid='stApp']")


def photograph(page: Page, app: ServedApp, view: View, project: str | None, file: Path) -> None:
    """The whole page, however long it is: the window grows to what it scrolls."""
    wide = page.viewport_size or {"width": WIDTHS[0], "height": HEIGHT}
    view.open(page, app, project)
    settle(page, LATE_MS)
    tall = page.evaluate("document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 0")
    page.set_viewport_size({"width": wide["width"], "height": max(HEIGHT, min(int(tall), 3 * HEIGHT))})
    page.wait_for_timeout(LATE_MS // 3)
    page.screenshot(path=file)
    page.set_viewport_size({"width": wide["width"], "height": HEIGHT})
    print(file, flush=True)


def all_pages(browser: Browser, app: ServedApp, folder: Path, views: Sequence[View], project: str) -> None:
    """Every page at every width, in every theme: ``1440-light-home.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme in THEMES:
        for width in WIDTHS:
            with tab(browser, width, theme) as page:
                sign_in(page, app)
                for view in views:
                    photograph(page, app, view, project, folder / f"{width}-{theme}-{view.name}.png")


def of_the_docs(browser: Browser, app: ServedApp, project: str) -> None:
    """The pictures in README and docs: light, of a window's height."""
    with tab(browser, 1280, "light") as page:
        sign_in(page, app)
        for view in VIEWS:
            if view.name in SHOWN:
                view.open(page, app, project)
                settle(page)
                read = page.get_by_role("button", name="I have read this")
                if view.name == "label" and read.is_visible():
                    read.click()  # what is labeled matters here, and they are asked for once per person
                    read.wait_for(state="hidden")
                settle(page, LATE_MS)
                page.screenshot(path=PICTURES / f"{view.name}.png")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where every page's pictures go")
    parser.add_argument("--docs", action="store_true", help="write the pictures of README and docs")
    parser.add_argument("--home", type=Path, help="make the home here, or use the one that is here")
    parser.add_argument("--project", default=PROJECT)
    parser.add_argument("--only", help="views whose name holds this")
    options = parser.parse_args()
    if options.folder is None and not options.docs:
        parser.error("give a folder, or --docs")
    views = [view for view in VIEWS if options.only is None or options.only in view.name]
    with tempfile.TemporaryDirectory() as made:
        home = options.home or Path(made) / "home"
        if not home.exists():
            home.mkdir(parents=True)
            fill(home)
        executable = next(path for path in map(shutil.which, NAMES) if path)
        with served(home) as app, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
            if options.folder is not None:
                all_pages(browser, app, options.folder, views, options.project)
            if options.docs:
                of_the_docs(browser, app, options.project)
            browser.close()


if __name__ == "__main__":
    main()
