"""Figures side by side as HTML."""

from __future__ import annotations

import pytest

from workbench.ui.cards import Card, cards
from workbench.ui.text_view import said_below


def test_names_are_escaped() -> None:
    assert "<b>" not in cards([Card("<b>", "<b>", 0.5, "<b>")])
    assert said_below(["a  <b>", "x" * 300]) == (
        f'<div dir="auto" class="workbench-said">a &lt;b&gt; · {"x" * 200}…</div>'
    )


@pytest.mark.parametrize(
    ("share", "width"), [(0.0, "0.0%"), (0.161, "16.1%"), (1.0, "100.0%"), (1.7, "100.0%")]
)
def test_a_bar_is_as_long_as_the_share(share: float, width: str) -> None:
    assert f'style="width:{width}"' in cards([Card("Pool", "10", share, "some")])
