"""Every page of the application, and how a browser knows that one of them stands: for the tests, the pictures, the
benchmark of their opening."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Page

from tests.browser import ServedApp
from workbench.ui.navigation import PLACES

SETTLED = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const labeler = () => [...document.querySelectorAll("*")]
    .map((one) => one.shadowRoot?.querySelector(".labeler[data-example]")).find(Boolean) ?? null;
  const seen = (name) => [...document.querySelectorAll(`[data-testid="${name}"]`)].some((one) => one.checkVisibility());
  return app?.dataset.testScriptState === "notRunning" && document.querySelector("h1") !== null
    && !seen("stSkeleton") && !seen("stSpinner")
    && (location.pathname !== "/Label" || labeler() !== null);
}"""
"""The page's script has run and its heading is there; no part of it waits for its own code."""


@dataclass(frozen=True, slots=True)
class View:
    """A page, or one part of a page that its address can choose.

    Attributes:
        name: Of its picture's file.
        path: In the address.
        query: The same, without the project.
    """

    name: str
    path: str
    query: dict[str, str] = field(default_factory=dict)

    def open(self, page: Page, app: ServedApp, project: str | None) -> None:
        """Go there; see ``settle`` for when it stands."""
        page.goto(app.url(self.path, **({"project": project} if project else {}), **self.query))


PARTS = {
    "data": ("browse", "import", "labels", "export"),
    "review": ("decide", "agreement"),
    "team": ("people", "guidelines", "numbers", "sharing", "probes", "work", "log", "backup"),
}
"""Pages with parts, and the names of those in the address."""

VIEWS = tuple(
    View(f"{name}-{part}" if part else name, place.path.strip("/"), {"view": part} if part else {})
    for name, place in PLACES.items()
    for part in PARTS.get(name, ("",))
)


def settle(page: Page, pause_ms: int = 0) -> None:
    """Wait until the page stands, looked at in every frame; then a pause, for what is drawn late (charts, tables)."""
    page.wait_for_function(SETTLED, polling="raf")
    if pause_ms:
        page.wait_for_timeout(pause_ms)
        page.wait_for_function(SETTLED, polling="raf")
