"""The Review page: do people agree, and on what not."""

from __future__ import annotations

from workbench.ui.page import Page
from workbench.ui.review_agreement import draw_agreement


def draw_review_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        draw_agreement(page)
