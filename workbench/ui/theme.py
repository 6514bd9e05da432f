"""One visual language: the icon, number formats, colours that both themes can read."""

from __future__ import annotations

import streamlit as st

from workbench.tasks import TASKS

INK = {"light": "#1c2733", "dark": "#e6eaee"}
SIDEBAR_WIDTH = 240
"""In pixels: the widest name of a page and a project's, and the rest for the work on a 1,024-pixel screen."""

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="7" fill="#0b6e6e"/>'
    '<path d="M7 11h7v10H7z" fill="#fff" opacity=".95"/>'
    '<path d="M17 11h8M17 16h8M17 21h5" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/></svg>'
)
"""The browser tab's icon; our own, so that no font is fetched from elsewhere for it."""

STYLE = """
[data-testid="stMainBlockContainer"] { padding-top: 4rem }
@media (max-width: 1280px) { [data-testid="stMainBlockContainer"] { padding-left: 2rem; padding-right: 2rem } }
.workbench-sign-out { font: inherit; font-size: .9rem; color: inherit; background: none; cursor: pointer;
  border: 1px solid var(--st-border-color, #8b97a1); border-radius: .5rem; padding: .3rem .8rem }
.workbench-sign-out:hover { border-color: currentColor }
[data-testid="stButtonGroup"] [aria-checked="true"], [data-testid="stButtonGroup"] [aria-checked="true"] * {
  color: inherit !important }
[data-testid="stBaseButton-pillsActive"], [data-testid="stBaseButton-pillsActive"] *,
[data-variant="pills"][data-selected], [data-variant="pills"][data-selected] * { color: inherit !important }
[role="tab"][aria-selected="true"], [role="tab"][aria-selected="true"] * { color: inherit !important }
[data-testid="stCaptionContainer"] { opacity: .85 !important }
[data-testid="stSliderThumbValue"], [data-testid="stSliderThumbValue"] * { color: inherit !important }
.workbench-verbatim { font-family: "Source Code Pro", ui-monospace, monospace; font-size: .875rem; line-height: 1.5;
  margin: 0; padding: 1rem; border-radius: .5rem; background: color-mix(in srgb, currentColor 6%, transparent);
  white-space: pre-wrap; overflow-wrap: anywhere }
.workbench-cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem;
  margin: 0 !important; padding: 0 !important }
.workbench-cards > div { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: .5rem;
  padding: 1rem; font-size: .875rem; margin: 0 }
.workbench-cards dt, .workbench-cards dd { margin: 0; padding: 0; font-weight: 400 }
.workbench-cards .workbench-number { font-size: clamp(1.4rem, 2.4vw, 2.25rem); line-height: 1.6 }
.workbench-batch { display: grid; gap: .5rem 1rem;
  grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); align-items: center }
.workbench-bar { height: .5rem; border-radius: .25rem; margin-top: .5rem; overflow: hidden;
  background: color-mix(in srgb, currentColor 8%, transparent) }
.workbench-bar > div { height: 100%; background: #0d7d7b }
[class*="st-key-row-"] { flex-wrap: nowrap }
[class*="st-key-row-"] > :first-child { flex: 1 1 0; min-width: 0 }
.workbench-said { font-size: .875rem; opacity: .85; overflow-wrap: anywhere }
[data-testid="stMetricValue"] { font-size: clamp(1.4rem, 2.4vw, 2.25rem) }
"""
"""What ``config.toml`` can't say, on every page."""

BLUE, ROSE, GREEN, PURPLE, SAND, TEAL = "#4477aa", "#cc6677", "#117733", "#aa4499", "#997700", "#33899c"
"""Of charts, after Paul Tol's colour-blind safe schemes, as the labels' are; readable on light and dark ground."""

GREY = "#8a939c"
RED = "#d64545"
"""Of what is not to be trusted."""

METRIC_TITLES = {
    "f1": "F1",
    "macro_f1": "Macro F1",
    "has_answer_f1": "F1 where there is an answer",
    "has_answer_exact_match": "Exact match where there is an answer",
    "no_answer_accuracy": "Accuracy where there is none",
}
"""Metrics whose key, its underscores taken out, is not what people call them."""

TASK_TITLES = {name: task.title for name, task in TASKS.items()}
"""Task types as people call them, by name."""


def ink() -> str:
    """The colour of text on the ground that the visitor has chosen: a chart's own colours can't follow it."""
    return INK.get(str(st.context.theme.type), INK["light"])


def count(number: int, singular: str, plural: str | None = None) -> str:
    """``1 example``, ``1,234 examples``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def metric_name(name: str) -> str:
    """``F1``, ``exact match``, ``macro F1``."""
    return " ".join("F1" if word == "f1" else word for word in name.split("_"))


def metric_title(key: str) -> str:
    """The same to begin with: ``F1``, ``Exact match``, ``F1 where there is an answer``."""
    return METRIC_TITLES.get(key, key.replace("_", " ").capitalize())


def score(value: float | None, scale: float = 1.0) -> str:
    """A metric: three decimals on the scale 0..1 (``0.873``), one on 0..100 (``87.3``); a dash for none."""
    if value is None:
        return "–"
    return f"{value:.1f}" if scale > 1 else f"{value:.3f}"


def duration(seconds: float | None) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 05 min``; a dash for none."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def size(octets: int) -> str:
    """``812 B``, ``12.4 kB``, ``86.1 MB``."""
    value = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")
