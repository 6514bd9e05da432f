"""Differences with their intervals as one table, each interval drawn in its row (a forest plot), of plain HTML.

A page draws it before any chart library is loaded, and the report holds the same: nothing in it is a script, a font
or a picture. Lengths are percentages, so it fits whatever width there is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from workbench.ui.theme import BLUE, GREY, ROSE, score

EMPTY = "–"

STYLE = """
.forest { overflow-x: auto; container-type: inline-size }
.forest table { border-collapse: collapse; width: 100%; font-size: .92rem; margin: .4rem 0 }
.forest th, .forest td { padding: .32rem .6rem; text-align: right; font-variant-numeric: tabular-nums; border: 0;
  overflow-wrap: normal; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent) }
.forest th { font-weight: 600; vertical-align: bottom }
.forest .name { text-align: left; overflow-wrap: break-word }
.forest .drawn { min-width: 7.5rem; width: 38% }
.forest .range { white-space: nowrap }
.forest .doubted { color: color-mix(in srgb, #e5383b 75%, currentColor) }
.forest .whole td { font-weight: 600 }
.forest .sides { display: flex; justify-content: space-between; gap: .6rem; font-weight: 400; white-space: nowrap }
.forest .scale { position: relative; display: block; height: 1.2em }
.forest .scale span { position: absolute; top: 50% }
.forest .zero { left: 50%; height: 2.1em; margin-top: -1.05em; opacity: .6; border-left: 1px dashed currentColor }
.forest .line { height: 3px; margin-top: -1.5px }
.forest .mark { width: 12px; height: 12px; margin: -6px 0 0 -6px }
.forest .same { border-radius: 50% }
.forest .more { clip-path: polygon(0 0, 100% 50%, 0 100%) }
.forest .less { clip-path: polygon(100% 0, 0 50%, 100% 100%) }
@container (max-width: 44rem) {
  .forest table { font-size: .8rem }
  .forest th, .forest td { padding: .3rem }
}
"""
"""Colours are mixed from the text's own, so that it reads on light and on dark ground."""


@dataclass(frozen=True, slots=True)
class Row:
    """One difference, b less a; ``low`` and ``high`` are its 95 % interval, None where there is none.

    Values are in the metric's scale, ``support`` is a number of items, ``whole`` sets the row apart from its parts.
    """

    name: str
    support: int | None
    a: float
    b: float
    difference: float
    low: float | None
    high: float | None
    p_value: float | None = None
    whole: bool = False


def draw_forest(
    rows: Sequence[Row],
    *,
    versions: tuple[int, int],
    counted: str,
    scale: float,
    doubted: Collection[int] = (),
) -> None:
    """Draw ``forest`` on a page."""
    table = forest(rows, versions=versions, counted=counted, scale=scale, doubted=doubted)
    st.html(f"<style>{STYLE}</style>{table}")


def forest(
    rows: Sequence[Row],
    *,
    versions: tuple[int, int],
    counted: str,
    scale: float,
    doubted: Collection[int] = (),
) -> str:
    """Safe HTML of the table; its rules are ``STYLE``.

    Args:
        rows: From the top.
        versions: Numbers of the two that are compared.
        counted: What ``support`` counts.
        scale: The metric's maximum: differences are given in points, hundredths of it.
        doubted: Those of the two whose scores are too high: they, and the differences, are red.
    """
    points = 100.0 / scale
    ends = [
        abs(end) * points for row in rows for end in (row.low, row.high, row.difference) if end is not None
    ]
    reach = max(ends, default=0.0) or 1.0
    with_p = any(row.p_value is not None for row in rows)
    a, b = versions
    marks = _mark(a in doubted), _mark(b in doubted)
    head = (
        f'<tr><th class="name"></th><th>{escape(counted)}</th><th{marks[0]}>Version {a}</th>'
        f"<th{marks[1]}>Version {b}</th><th>Points</th>"
        f'<th class="drawn"><span class="sides"><span>◀ {a} better</span><span>{b} better ▶</span>'
        f"</span></th><th>95 % interval</th>{'<th>p-value</th>' if with_p else ''}</tr>"
    )
    body = "".join(_line(row, points, reach, scale, with_p, marks) for row in rows)
    return f'<div class="forest"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def _line(row: Row, points: float, reach: float, scale: float, with_p: bool, marks: tuple[str, str]) -> str:
    cells = [
        f'<td class="name">{escape(row.name)}</td>',
        f"<td>{EMPTY if row.support is None else f'{row.support:,}'}</td>",
        f"<td{marks[0]}>{score(row.a, scale)}</td>",
        f"<td{marks[1]}>{score(row.b, scale)}</td>",
        f"<td{max(marks)}>{row.difference * points:+.1f}</td>",
        f'<td class="drawn">{_drawn(row, points, reach)}</td>',
        f'<td class="range">{_interval(row, points)}</td>',
    ]
    if with_p:
        cells.append(f"<td>{EMPTY if row.p_value is None else escape(p_value(row.p_value))}</td>")
    return f"<tr{' class=whole' if row.whole else ''}>{''.join(cells)}</tr>"


def _mark(doubted: bool) -> str:
    return " class=doubted" if doubted else ""


def p_value(value: float) -> str:
    """``0.041``, ``< 0.001``."""
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _interval(row: Row, points: float) -> str:
    if row.low is None or row.high is None:
        return EMPTY
    return f"{row.low * points:+.1f} to {row.high * points:+.1f}"


def _drawn(row: Row, points: float, reach: float) -> str:
    """The interval as a line, the difference as a mark, whose shape says what its colour says: which is better."""

    def place(value: float) -> float:
        return 50.0 + 48.0 * value * points / reach

    colour, mark, line = GREY, "same", ""
    if row.low is not None and row.high is not None:
        colour, mark = (BLUE, "more") if row.low > 0 else (ROSE, "less") if row.high < 0 else (GREY, "same")
        left, right = place(row.low), place(row.high)
        line = f'<span class="line" style="left:{left:.1f}%;width:{right - left:.1f}%;background:{colour}"></span>'
    at = f"left:{place(row.difference):.1f}%;background:{colour}"
    return f'<span class="scale"><span class="zero"></span>{line}<span class="mark {mark}" style="{at}"></span></span>'
