"""Figures side by side, each with the share of it that is done: one piece of HTML, where a widget for each figure and
each bar would be a dozen for the browser to build."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Card:
    """A figure.

    Attributes:
        title: What is counted.
        number: How many, as text.
        share: What of it is done, from 0 to 1.
        said: The share in words.
    """

    title: str
    number: str
    share: float
    said: str


def cards(figures: Iterable[Card]) -> str:
    """Safe HTML; the bar repeats what the words say, and is not read out."""
    return f'<dl class="workbench-cards">{"".join(map(_card, figures))}</dl>'


def _card(figure: Card) -> str:
    return (
        f'<div><dt>{escape(figure.title)}</dt><dd class="workbench-number">{escape(figure.number)}</dd>'
        f"<dd>{escape(figure.said)}{bar(figure.share)}</dd></div>"
    )


def bar(share: float) -> str:
    """HTML of a bar that is filled so far, from 0 to 1; it is not read out."""
    width = 100 * min(1.0, max(0.0, share))
    return f'<div class="workbench-bar" aria-hidden="true"><div style="width:{width:.1f}%"></div></div>'
