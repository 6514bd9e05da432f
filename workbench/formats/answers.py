"""Answers of a QA file: their places checked, mended, or given up."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.domain import Answer


def locate(context: str, text: str, start: int | None) -> tuple[Answer | None, bool]:
    """Where an answer lies, and whether its place had to be mended.

    A wrong place gives way to the nearest occurrence of the text; with none, white space around the text is left
    away; then there is no place. An answer of nothing but white space has none either.
    """
    if not text.strip():
        return None, False
    if start is not None and start >= 0 and context.startswith(text, start):
        return Answer(start, start + len(text)), False
    for wanted in dict.fromkeys((text, text.strip())):
        found = nearest(context, wanted, start or 0)
        if found is not None:
            return Answer(found, found + len(wanted)), True
    return None, False


def place_in(given: object) -> int | None:
    """The place that a file gives, also where it says ``12.0`` or ``"12"``, as tables and other tools do; or None."""
    if isinstance(given, str):
        whole, _, rest = given.strip().partition(".")
        return int(whole) if whole.isdecimal() and len(whole) < 12 and not rest.strip("0") else None
    if isinstance(given, float) and given.is_integer():
        return int(given)
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def nearest(context: str, text: str, place: int) -> int | None:
    """Start of the occurrence of ``text`` nearest to ``place`` (the earlier one of two), or None."""
    place = max(0, min(place, len(context)))
    before = context.rfind(text, 0, place + len(text))
    after = context.find(text, place)
    if before < 0 or after < 0:
        return max(before, after) if max(before, after) >= 0 else None
    return before if place - before <= after - place else after


def unique(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """Every answer once, in their order."""
    return tuple(dict.fromkeys(answers))


def moved(text: str, start: object, place: int) -> str:
    """A sentence on an answer whose place was mended."""
    shown = text if len(text) <= 60 else f"{text[:57]}…"
    return f"the answer {shown!r} said to begin at {start} begins at {place}"
