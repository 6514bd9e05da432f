"""The save path: fast Enters, a server killed in the middle, a reload: each answer is stored, and stored once."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import ServedApp
from tests.labeling.corpus import make_project
from tests.labeling.screen import Screen
from workbench.config import Settings
from workbench.domain import Project
from workbench.services import Workbench, open_workbench

pytestmark = pytest.mark.browser

Serve = Callable[..., ServedApp]

ENTERS = 20
PACE_MS = 30


def accepted(page: Page) -> list[str]:
    """The sentences that the screen lists as accepted."""
    return page.locator(".earlier[data-status=accepted] span").all_inner_texts()


def revisions(workbench: Workbench, project: Project, ids: list[int]) -> dict[str, int]:
    """How many revisions each labeled example has, by its text."""
    counts = {one: len(workbench.annotation.history(project, one)) for one in ids}
    with workbench.store.read() as tx:
        texts = {example.id: example.content.text for example in tx.examples.by_ids(ids)}
    return {texts[one]: count for one, count in counts.items() if count}


def hit_enter(page: Page, times: int) -> None:
    for _ in range(times):
        page.keyboard.press("Enter")
        page.wait_for_timeout(PACE_MS)


def lose_the_server(page: Page, app: ServedApp, workbench: Workbench, *, seed: int, reload: bool) -> None:
    texts = [f"Sentence {number} of run {seed} ." for number in range(60)]
    project, ids = make_project(workbench, texts=texts, name=f"run {seed}")
    screen = Screen(page, app, project.name).open()
    moment = random.Random(seed).uniform(0.0, ENTERS * PACE_MS / 1000)
    killer = threading.Timer(moment, app.kill)
    killer.start()
    hit_enter(page, ENTERS)
    killer.join()
    said = accepted(page)
    assert len(said) >= 5, said
    app.start()
    if reload:
        screen.open()
    screen.expect_status("Saved", timeout=60_000)
    assert revisions(workbench, project, ids) == dict.fromkeys(sorted(said, key=texts.index), 1)


@pytest.fixture
def opened(tmp_path: Path) -> Workbench:
    return open_workbench(Settings(home=tmp_path / "home", database_url=None))


@pytest.mark.parametrize("reload", [False, True], ids=["reconnect", "reload"])
def test_a_killed_server_loses_and_doubles_nothing(
    page: Page, serve: Serve, opened: Workbench, *, reload: bool
) -> None:
    app = serve(opened.settings.home)
    lose_the_server(page, app, opened, seed=int(reload), reload=reload)


@pytest.mark.proof
@pytest.mark.timeout(1200)
def test_a_server_killed_twenty_times_loses_and_doubles_nothing(
    page: Page, serve: Serve, opened: Workbench
) -> None:
    app = serve(opened.settings.home)
    for seed in range(2, 22):
        lose_the_server(page, app, opened, seed=seed, reload=seed % 2 == 0)


def test_a_reload_keeps_what_the_server_has_not_got(page: Page, serve: Serve, opened: Workbench) -> None:
    project, ids = make_project(opened)
    app = serve(opened.settings.home)
    screen = Screen(page, app, project.name).open()
    app.kill()
    hit_enter(page, 3)
    screen.expect_status("3 unsaved")
    kept = page.evaluate(
        "Object.keys(localStorage).filter(key => key.startsWith('workbench/outbox/')).length"
    )
    assert (kept, revisions(opened, project, ids)) == (3, {})
    app.start()
    screen.open().expect_status("Saved", timeout=60_000).expect_example(ids[3])
    assert list(revisions(opened, project, ids).values()) == [1, 1, 1]
    time.sleep(0.2)
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('workbench/')).length") == 0


def test_a_server_that_comes_back_while_nothing_is_done_gets_the_next_answer(
    page: Page, serve: Serve, opened: Workbench
) -> None:
    project, ids = make_project(opened)
    app = serve(opened.settings.home)
    screen = Screen(page, app, project.name).open()
    screen.press("Enter").expect_example(ids[1]).expect_status("Saved")
    page.wait_for_timeout(1_000)
    app.kill()
    app.start()
    deadline = time.monotonic() + 60
    while screen.example == ids[1] and time.monotonic() < deadline:
        screen.press("Enter")  # Streamlit's own "Connection error" dialog may swallow it while it is up
        page.wait_for_timeout(1_000)
    screen.expect_example(ids[2]).expect_status("Saved", timeout=60_000)
    assert list(revisions(opened, project, ids).values()) == [1, 1]


def test_a_refused_answer_is_kept_and_the_others_go_on(page: Page, serve: Serve, opened: Workbench) -> None:
    project, ids = make_project(opened)
    screen = Screen(page, serve(opened.settings.home), project.name).open()
    screen.press("ArrowRight", "1")
    opened.projects.update_label(project, "PER", retired=True)
    hit_enter(page, 2)
    screen.expect_status("1 refused").expect_example(ids[2])
    page.reload()
    screen.ready().expect_status("1 refused").expect_example(ids[2])
    assert list(revisions(opened, project, ids).values()) == [1]
    screen.part("status").click()
    screen.expect_example(ids[0])
    expect(screen.part("banner")).to_contain_text("'PER' is not in the label set")  # it follows by a frame
    screen.press("Home", "Backspace", "Enter").expect_status("Saved")
    assert json.dumps(list(revisions(opened, project, ids).values())) == "[1, 1]"
