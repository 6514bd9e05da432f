"""All versions: one table, the learning curve, and what can be done with a version."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from workbench.domain import ModelVersion, Role, Split
from workbench.services.figures import left_out
from workbench.services.versions import VersionRow
from workbench.tasks import get_task
from workbench.ui import charts
from workbench.ui.compare_disk import draw_disk
from workbench.ui.glossary import explain
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.tables import draw_table, rows_key
from workbench.ui.theme import RED, count, duration, metric_title, score

TOUCHED: tuple[Hashable, ...] = ("score", "interval", "leak")
"""Columns that are red where a version was trained on what it is measured on."""

OPTIONAL = ("state", "leak", "validation", "parent", "note", "parameters", "disk")
"""Columns that are left out where no version has anything in them."""

DEFAULTS = ("base_model", "from_version", "device", "seed")
"""Parameters that the table's column leaves out: they have columns of their own, or say little."""


def draw_versions(page: Page, rows: Sequence[VersionRow], split: Split | None) -> None:
    """Draw all of it; without a split there are no scores."""
    chosen = _draw_table(page, _filtered(rows), split, page.workbench.pruning.sizes(page.project))
    if chosen is not None:
        _draw_actions(page, chosen)
    if split is not None:
        _draw_curve(page, rows, split)
    _draw_promoted([row.version for row in rows])
    draw_disk(page)


def _filtered(rows: Sequence[VersionRow]) -> list[VersionRow]:
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    text = left.text_input(
        "Find a version",
        placeholder="a number, a base model, words of a note or a reason",
        icon=":material/search:",
        key="compare-find",
    )
    archived = any(row.version.archived_at for row in rows)
    hidden = archived and not right.toggle("Archived too", key="compare-archived")
    words = text.casefold().split()
    return [
        row
        for row in reversed(rows)
        if not (hidden and row.version.archived_at) and all(word in _haystack(row) for word in words)
    ]


def _haystack(row: VersionRow) -> str:
    version = row.version
    parts = (
        version.number,
        version.base_model,
        version.note,
        version.promoted_reason,
        _parameters(version),
        row.change_sentence,
    )
    return " ".join(map(str, parts)).casefold()


def _draw_table(
    page: Page, rows: Sequence[VersionRow], split: Split | None, sizes: Mapping[int, int]
) -> VersionRow | None:
    """The table, with the bytes that versions take by their numbers; the version whose row is chosen, else None."""
    if not rows:
        st.info("No version fits.", icon=":material/search_off:")
        return None
    task = get_task(page.project.task)
    metric, scale = task.primary_metric, task.metric_scale
    name = metric_title(metric)
    decimals = "%.3f" if scale <= 1 else "%.1f"
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    frame = pd.DataFrame(
        [{**_cells(row, metric, scale), "disk": _megabytes(sizes.get(row.version.number))} for row in rows]
    )
    hidden = set() if split else {"score", "interval", "measured", "leak"}
    hidden |= {column for column in OPTIONAL if not _holds_anything(frame[column])}
    _draw_warnings(rows)
    event = draw_table(
        _reddened(frame, rows),
        column_order=[column for column in frame if column not in hidden],
        on_select="rerun",
        selection_mode="single-row",
        key=rows_key("compare-table", page.project, [row.version.number for row in rows]),
        column_config={
            "version": number("Version", width="small"),
            "state": text("State", width="small"),
            "score": number(f"{name}, {split}" if split else name, format=decimals),
            "interval": text("95 % interval", help=explain("interval")),
            "measured": text("Measured on", help="Which frozen set of labels the score was measured on."),
            "leak": text(
                "Warning",
                help="Leakage: it has learned from documents that it was measured on, so its score is too high.",
            ),
            "validation": number(
                f"{name} in training",  # beside "F1, validation", where that split is the one measured on
                format=decimals,
                help="As measured while training, on held-out examples.",
            ),
            "trained_on": number(
                "Trained on", format="localized", help="Labeled examples that it has learned from."
            ),
            "changed": text("Change in data", help="Against the version before: added, removed, relabeled."),
            "base": "Base model",
            "parent": text("Continued from", width="small"),
            "parameters": "Parameters",
            "time": text("Time", help="Of training."),
            "created": st.column_config.DatetimeColumn("Trained", format="YYYY-MM-DD HH:mm"),
            "note": "Note",
            "disk": number("Disk, MB", format="%.1f", help=explain("pruned", also="What its files take.")),
        },
    )
    picked = event["selection"]["rows"] if event else []
    st.caption("Click a column's head to sort. Choose a row to note, promote or archive its version.")
    return rows[picked[0]] if picked and picked[0] < len(rows) else None


def _megabytes(octets: int | None) -> float | None:
    return None if octets is None else octets / 1e6


def _holds_anything(column: pd.Series) -> bool:
    return bool((column.notna() & (column != "")).any())


def _draw_warnings(rows: Sequence[VersionRow]) -> None:
    for row in rows:
        if row.warning and not row.version.archived_at:
            st.error(f"Version {row.version.number}: {row.warning}", icon=":material/warning:")


def _reddened(frame: pd.DataFrame, rows: Sequence[VersionRow]) -> pd.DataFrame | Styler:
    """The table with those figures in red that can't be trusted."""
    colours = [f"color: {RED}" if row.warning else "" for row in rows]
    return frame.style.apply(lambda _: colours, subset=list(TOUCHED)) if any(colours) else frame


def _cells(row: VersionRow, metric: str, scale: float) -> dict[str, object]:
    version, evaluation = row.version, row.evaluation
    interval = evaluation.metrics.get("confidence_interval") if evaluation else None
    measured = "not yet" if row.measurable else "never"
    if evaluation:
        which = f"set {evaluation.gold_set}, " if evaluation.gold_set else ""
        measured = (
            f"{which}{count(evaluation.examples, 'example')}{left_out(evaluation.partial)}"
            f"{'' if row.current else ', older labels'}"
        )
    return {
        "version": version.number,
        "state": ", ".join(version.states),
        "score": evaluation.metrics.get(metric) if evaluation else None,
        "interval": " to ".join(score(end, scale) for end in interval) if interval else "–",
        "measured": measured,
        "leak": "score too high" if row.warning else "",
        "validation": version.metrics.get("validation", {}).get(metric),
        "trained_on": row.trained_on,
        "changed": row.change_sentence,
        "base": version.base_model,
        "parent": str(version.parent) if version.parent else "",
        "note": version.note,
        "time": duration(row.training.seconds)
        + (f" on {row.training.device}" if row.training.device else ""),
        "created": version.created_at,
        "parameters": _parameters(version),
    }


def _parameters(version: ModelVersion) -> str:
    said = [
        f"{name.replace('_', ' ')} {value:g}"
        if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in version.parameters.items()
        if name not in DEFAULTS and value not in (None, False)
    ]
    return ", ".join(said)


def _draw_actions(page: Page, row: VersionRow) -> None:
    """Note, promote, archive: what a lead does with a version."""
    version = row.version
    if not page.may(Role.LEAD):
        return
    key = f"{page.project.id}-{version.number}"
    with st.form(f"version-{key}", border=True):
        st.markdown(f"**Version {version.number}**")
        note = st.text_input(
            "Note", value=version.note, max_chars=500, placeholder="anything worth remembering of it"
        )
        reason = st.text_input(
            "Reason to promote it", max_chars=500, placeholder="why this one; kept with who and when"
        )
        columns = st.columns(4 if version.pruned else 3)
        save = columns[0].form_submit_button("Save the note", icon=":material/edit_note:", width="stretch")
        promote = columns[1].form_submit_button(
            "Promote", icon=":material/verified:", width="stretch", disabled=not version.usable
        )
        archived = version.archived_at is not None
        put_away = columns[2].form_submit_button(
            "Bring back" if archived else "Archive",
            icon=":material/unarchive:" if archived else ":material/archive:",
            width="stretch",
            disabled=version.promoted,
        )
        again = version.pruned and columns[3].form_submit_button(
            "Train again",
            icon=":material/replay:",
            width="stretch",
            help="From the same examples, parameters and seed, as a version of its own.",
        )
    if again:
        run = page.workbench.training.again(page.project, version.number, page.user.id)
        st.success(f"Run {run.id} trains version {version.number} again.", icon=":material/replay:")
        link_to("train", "Watch it", page.project)
    if not (save or promote or put_away):
        return
    if note.strip() != version.note:
        page.workbench.models.set_note(page.project, version.number, note, page.user.id)
    if promote:
        page.workbench.models.promote(page.project, version.number, page.user.id, reason)
    if put_away:
        page.workbench.models.archive(page.project, version.number, not archived, page.user.id)
    st.rerun()


def _draw_curve(page: Page, rows: Sequence[VersionRow], split: Split) -> None:
    task = get_task(page.project.task)
    points = []
    for row in rows:
        if row.evaluation is None or not row.current or row.version.archived_at:
            continue
        low, high = row.evaluation.metrics.get("confidence_interval") or (None, None)
        value = float(row.evaluation.metrics[task.primary_metric])
        points.append(
            charts.CurvePoint(
                str(row.version.number),
                row.trained_on,
                value,
                low,
                high,
                row.version.base_model,
                too_high=row.warning is not None,
            )
        )
    if not points:
        return
    st.subheader("Learning curve")
    said = "Each version that was measured on the labels of now is one point, with its 95 % interval."
    if len(points) < 3:
        said += " With three or more a trend can be seen."
    if any(point.too_high for point in points):
        said += " Red triangles: the score is too high, and the line leaves it out."
    st.caption(said)
    link_to("progress", "Where it is heading, and what more labels would cost", page.project)
    points.sort(key=lambda point: point.examples)
    st.altair_chart(
        charts.learning_curve(
            points, f"{metric_title(task.primary_metric)} on the {split} split", task.metric_scale
        ),
        width="stretch",
    )


def _draw_promoted(versions: Sequence[ModelVersion]) -> None:
    promoted = next((version for version in versions if version.promoted), None)
    if promoted is None or promoted.promoted_at is None:
        st.caption("No version is promoted. The promoted version is the one that is exported as the best.")
        return
    who = f" by {promoted.promoted_by}" if promoted.promoted_by else ""
    st.markdown(
        f"Version **{promoted.number}** is promoted since {promoted.promoted_at:%Y-%m-%d %H:%M}{who}."
    )
    if promoted.promoted_reason:
        st.caption(f"Reason: {promoted.promoted_reason}")
