"""What an import would bring: numbers, labels, warnings, the first examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench.domain import NewExample
from workbench.formats import Notice
from workbench.services.datasets import Preview
from workbench.services.duplicates import Leak
from workbench.services.importwrite import ImportReport
from workbench.services.projects import missing_labels
from workbench.ui.page import Page
from workbench.ui.tables import draw_table
from workbench.ui.text_view import label_chip, labeled_text
from workbench.ui.theme import count

DRAWN = 8
SHOWN_LABELS = 40
_KINDS = {"repaired": "to be repaired", "skipped": "to be skipped", "warning": "to know"}
"""Kinds of notices, as the title of their list counts them."""


def draw_preview(page: Page, preview: Preview) -> None:
    """Draw it."""
    report = preview.report
    st.subheader("What is in them" if len(report.files) > 1 else "What is in it")
    for file in report.files:
        st.markdown(f":material/description: **{escaped(file.name)}** — {escaped('; '.join(file.detected))}")
    numbers = {
        "Examples": report.examples,
        "Documents": report.documents,
        "Words": report.tokens,
        "With labels": report.labeled,
        "Duplicates": report.duplicates,
        "Near duplicates": report.near_duplicates,
        "Repaired": report.repaired,
        "Skipped": report.skipped,
    }
    for column, (name, number) in zip(st.columns(len(numbers)), numbers.items(), strict=True):
        column.metric(name, f"{number:,}")
    draw_leaks(report.leaks, [notice.message for notice in report.warnings if notice.line is None])
    _draw_splits(report)
    _draw_labels(page, report)
    _draw_warnings(report.warnings)
    st.markdown("**The first examples, as they will look**")
    for example in preview.first[:DRAWN]:
        _draw_example(page, example, report)


def _draw_splits(report: ImportReport) -> None:
    if len(report.splits) > 1:
        shown = (f"{split.capitalize()} {number:,}" for split, number in report.splits.items())
        st.caption(f"Split: {' · '.join(shown)}")


def draw_leaks(leaks: Sequence[Leak], told: Sequence[str]) -> None:
    """What stands on both sides of an evaluation, loudly; nothing where nothing does."""
    if not leaks:
        return
    words = [message for message in told if "also stand in" in message or "nearly word for word" in message]
    said = "; ".join(words) or "Held-out examples also stand in another split."
    st.error(escaped(said), icon=":material/content_copy:")
    with st.expander("The first of them", icon=":material/list:"):
        draw_table(
            pd.DataFrame(
                [
                    {
                        "Split": leak.split,
                        "Text": leak.text,
                        "Also in": leak.other_split,
                        "As": leak.other_text,
                        "Alike": leak.similarity,
                    }
                    for leak in leaks
                ]
            ),
            column_config={"Alike": st.column_config.NumberColumn(format="percent", width="small")},
        )


def _draw_labels(page: Page, report: ImportReport) -> None:
    if not report.labels:
        return
    fresh = missing_labels(page.project, list(report.labels))
    known = {label.name: label for label in (*page.project.labels, *fresh)}
    shown = list(report.labels.items())[:SHOWN_LABELS]
    st.html("".join(label_chip(known[name], number) for name, number in shown))
    more = len(report.labels) - len(shown)
    new = [label.name for label in fresh]
    said = [f"and {more} more"] if more > 0 else []
    if new:
        said.append(f"{count(len(new), 'label')} of these will be added to the project's set")
    if said:
        st.caption("; ".join(said))


def _draw_warnings(warnings: Sequence[Notice]) -> None:
    if not warnings:
        return
    kinds = Counter(notice.kind for notice in warnings)
    titles = [f"{kinds[kind]:,} {words}" for kind, words in _KINDS.items() if kinds[kind]]
    with st.expander(", ".join(titles), icon=":material/warning:", expanded=len(warnings) <= 5):
        table = pd.DataFrame(
            [
                {"Line": notice.line, "What": notice.kind.capitalize(), "Message": notice.message}
                for notice in warnings
            ]
        )
        draw_table(
            table.astype({"Line": "Int64"}),
            column_config={"Line": st.column_config.NumberColumn(width="small", format="%d")},
        )


def _draw_example(page: Page, example: NewExample, report: ImportReport) -> None:
    known = (*page.project.labels, *missing_labels(page.project, list(report.labels)))
    with st.container(border=True):
        st.html(labeled_text(example.content, example.payload, known, limit=320))


def escaped(text: str) -> str:
    """Text of a file inside of Markdown."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>$~#|:" else sign for sign in text)
