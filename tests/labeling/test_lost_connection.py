"""A page that is left and a connection that drops cost no answer, while the server lives on."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser import ServedApp
from tests.labeling.corpus import make_project, stored
from tests.labeling.screen import Screen
from workbench.services import Workbench

pytestmark = pytest.mark.browser


class Wire:
    """The connection between a tab and the server, which can be cut and mended."""

    def __init__(self, page: Page) -> None:
        self.cut = False
        self._live: list[WebSocketRoute] = []
        page.route_web_socket("**/_stcore/stream", self._connect)
        page.route("**/_stcore/**", self._request)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self.cut:
            socket.close(code=1001)
            return
        socket.connect_to_server()
        self._live.append(socket)

    def _request(self, route: Route) -> None:
        if self.cut:
            route.abort()
        else:
            route.continue_()

    def drop(self) -> None:
        """Nothing comes through any more, in either direction."""
        self.cut = True
        for socket in self._live:
            socket.close(code=1001)
        self._live.clear()


def test_a_dropped_connection_costs_nothing(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="a dropped connection")
    wire = Wire(page)
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    screen.press("Enter").expect_example(ids[1]).expect_status("Saved")
    wire.drop()
    screen.press("ArrowRight", "1", "Enter").expect_example(ids[2]).press("Enter")
    screen.expect_example(ids[3]).expect_status("2 unsaved")
    assert stored(filled, project, ids[1]) == []
    wire.cut = False
    screen.expect_status("Saved", timeout=60_000).expect_example(ids[3])
    assert [len(stored(filled, project, one)) for one in ids] == [1, 1, 1, 0, 0]
    assert stored(filled, project, ids[1])[0][1]["spans"] == [{"start": 0, "end": 3, "label": "PER"}]


def test_another_page_in_the_middle_costs_nothing(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="another page in the middle")
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    # No pause between the key and the click: the answer has not been sent when the page goes.
    screen.press("Enter", "Enter", "ArrowRight", "2")
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.get_by_role("link", name="Train").click()
    expect(page.get_by_role("heading", name="Train").first).to_be_visible()
    sidebar.get_by_role("link", name="Label").click()
    screen.ready().expect_example(ids[2]).expect_status("Saved")
    assert screen.marks() == [("ORG", "Henrik", True)]
    assert [len(stored(filled, project, one)) for one in ids] == [1, 1, 0, 0, 0]
