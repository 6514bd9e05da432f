"""How quick every page opens in a real browser: `python benchmarks/pages.py [--examples 100000] [--database URL]`.

Fills a home with a project of that many examples (see ``bigproject``; `--home` keeps it and finds it again), on SQLite
and, where `--database` names an empty one, on PostgreSQL. Then prints for every page the seconds from the navigation
until it stands:

- cold: the first page of a server that has just started, in a browser that has never seen the application;
- tab: one more opening, in a new tab of that browser, which loads the whole front end anew;
- link: two openings by the page's link in the sidebar, from another page.

All pages are opened so in several rounds, each with a server and a browser of its own, and the table has the medians: a
shared machine is slower in one minute than in the next. The last row is a page of Streamlit's own with a heading and
nothing else, opened in the same way once a round: what no page of an application can be quicker than.

The lines are 2 s cold and 0.5 s by a link. A new tab has none: Streamlit's own page takes longer than that in one.

A page stands in the frame from which on its script has ended, its heading is there and no part of it waits for data or
for code of its own, and stays so for a third of a second.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from benchmarks.bigproject import NAME, PASSWORD, PEOPLE, fill
from tests.browser import ARGUMENTS, NAMES, ServedApp
from tests.conftest import free_port
from tests.everypage import SETTLED, VIEWS, View
from workbench.config import Settings
from workbench.services import open_workbench
from workbench.ui.navigation import PLACES

COLD, WARM = 2.0, 0.5
"""Seconds that a page may take."""
ROUNDS, LINKS = 3, 2
CALM_MS, READ_MS = 333, 2_000
"""How long a page must stand, and how long somebody reads it before following a link."""
STANDS = f"""(path) => {{
  const stands = {SETTLED};
  const now = performance.now();
  window.calmSince = location.pathname === path && stands() ? window.calmSince ?? now : undefined;
  return window.calmSince !== undefined && now - window.calmSince > {CALM_MS} ? window.calmSince : null;
}}"""
"""Milliseconds from the navigation to the frame from which on the page stands; zero is the browser's own."""
BARE = "import streamlit as st\n\nst.title('Nothing else')\n"


def stands(page: Page, path: str) -> float:
    """When the page of this path stood, in seconds of the tab's own clock."""
    found = page.wait_for_function(STANDS, arg=path, polling="raf", timeout=120_000)
    return float(found.json_value()) / 1_000


@contextmanager
def profile(playwright: Playwright, cookies: Sequence[dict[str, object]] = ()) -> Iterator[BrowserContext]:
    """A browser with a profile on disk, as people have one: it keeps the front end and its compiled code."""
    executable = next(path for path in map(shutil.which, NAMES) if path)
    with tempfile.TemporaryDirectory() as folder:
        context = playwright.chromium.launch_persistent_context(
            folder,
            executable_path=executable,
            args=list(ARGUMENTS),
            viewport={"width": 1440, "height": 900},
        )
        context.add_cookies(list(cookies))  # type: ignore[arg-type]
        yield context
        context.close()


@contextmanager
def serving(app: ServedApp) -> Iterator[ServedApp]:
    """The application, ended with the block."""
    app.start()
    try:
        yield app
    finally:
        app.kill()


def signed_in(playwright: Playwright, app: ServedApp) -> list[dict[str, object]]:
    """Cookies of a session, which outlives the server."""
    with profile(playwright) as context, serving(app):
        page = context.new_page()
        page.goto(app.url())
        page.get_by_label("Name").fill(next(iter(PEOPLE)))
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("[data-testid='stApp']")
        return [{**cookie} for cookie in context.cookies()]


def opened(context: BrowserContext, app: ServedApp, view: View) -> float:
    """Seconds until the page stands, in a new tab."""
    page = context.new_page()
    view.open(page, app, NAME)
    found = stands(page, f"/{view.path}")
    for alert in page.locator("[data-testid='stException'], [data-testid='stAlertContentError']").all():
        print(f"  {view.name} says: {alert.inner_text()[:200]}")
    page.close()
    return found


def followed(context: BrowserContext, app: ServedApp, view: View) -> list[float]:
    """Seconds from the click on the page's link, on another page, until the page stands."""
    title = PLACES[view.name.partition("-")[0]].title
    other = View("other", "Export" if title != "Export" else "Select")
    page = context.new_page()
    took = []
    for _ in range(LINKS):
        other.open(page, app, NAME)
        stands(page, f"/{other.path}")
        page.wait_for_timeout(READ_MS)
        link = page.locator(f"[data-testid='stSidebar'] a:has-text('{title}')")
        start = float(link.evaluate("(it) => { const now = performance.now(); it.click(); return now; }"))
        took.append(stands(page, f"/{view.path}") - start / 1_000)
    page.close()
    return took


Times = dict[str, tuple[list[float], list[float], list[float]]]
"""Of each page the seconds cold, in a new tab, and by a link."""


def measure(playwright: Playwright, home: Path, url: str | None, views: Sequence[View], rounds: int) -> None:
    """Print the table."""
    environment = {"WORKBENCH_DATABASE_URL": url} if url else {}
    cookies = signed_in(playwright, ServedApp(home, free_port(), environment))
    times: Times = {view.name: ([], [], []) for view in views}
    bare: Times = {"(Streamlit alone)": ([], [], [])}
    for number in range(1, rounds + 1):
        begin = time.monotonic()
        linked = set[str]()  # a page's parts have one link
        for view in views:
            cold, tab, link = times[view.name]
            with (
                profile(playwright, cookies) as context,
                serving(ServedApp(home, free_port(), environment)) as app,
            ):
                cold.append(opened(context, app, view))
                tab.append(opened(context, app, view))
                if view.path not in linked:
                    link += followed(context, app, view)
                    linked.add(view.path)
        alone = open_bare(playwright)
        for found, each in zip(bare["(Streamlit alone)"], alone, strict=False):
            found.append(each)
        took = time.monotonic() - begin
        print(f"round {number}: {took:.0f} s, Streamlit alone {alone[0]:.2f} s", flush=True)
    tell(times, bare)


def tell(times: Times, bare: Times) -> None:
    """The table of medians, and which are over a line."""
    print(f"{'page':<20}{'cold':>9}{'tab':>9}{'link':>9}")
    late = []
    for name, found in {**times, **bare}.items():
        cold, *rest = (statistics.median(each) for each in found if each)
        print(f"{name:<20}" + "".join(f"{each:7.2f} s" for each in (cold, *rest)))
        if name in times and (cold >= COLD or max(rest[1:], default=0.0) >= WARM):
            late.append(name)
    print(f"slower than {COLD} s cold or {WARM} s by a link: {', '.join(late) or 'none'}")


def open_bare(playwright: Playwright) -> tuple[float, float]:
    """The same for a page of Streamlit's own: seconds cold, and in a new tab."""
    view, port = View("bare", ""), free_port()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Bare.py").write_text(BARE)
        command = [sys.executable, "-m", "streamlit", "run", "Bare.py", "--server.headless", "true"]
        options = ["--server.port", str(port), "--server.fileWatcherType", "none"]
        app = ServedApp(Path(folder), port)
        with profile(playwright) as context, (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen([*command, *options], cwd=folder, stdout=log, stderr=log)
            try:
                while not app.answers():
                    time.sleep(0.1)
                return opened(context, app, view), opened(context, app, view)
            finally:
                process.kill()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--database", help="URL of an empty PostgreSQL database, measured as well")
    parser.add_argument("--home", type=Path, help="keep what is filled there, and use it if it is there")
    parser.add_argument("--only", help="pages whose name holds one of these, separated by commas")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--fill", action="store_true", help="only fill it")
    options = parser.parse_args()
    parts = options.only.split(",") if options.only else [""]
    views = [view for view in VIEWS if any(part in view.name for part in parts)]
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        for url in (None, *([options.database] if options.database else [])):
            home = (options.home or Path(made) / "home") / ("postgresql" if url else "sqlite")
            workbench = open_workbench(Settings(home=home, database_url=url))
            start = time.monotonic()
            if not workbench.projects.list():
                fill(workbench, options.examples)
                print(f"filled in {time.monotonic() - start:.0f} s", flush=True)
            total = workbench.datasets.counts(workbench.projects.get(NAME)).total
            print(f"\n{workbench.store.engine.dialect.name}, {total:,} examples", flush=True)
            workbench.close()
            if not options.fill:
                measure(playwright, home, url, views, options.rounds)


if __name__ == "__main__":
    main()
