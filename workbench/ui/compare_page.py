"""The Compare page: every version with its scores, the learning curve, one version against another, promotion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from workbench.domain import Evaluation, ModelVersion, Role, RunKind, Split
from workbench.services.comparison import Comparison
from workbench.tasks import get_task
from workbench.ui import charts
from workbench.ui.compare_view import draw_comparison
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.run_charts import metric_name
from workbench.ui.theme import count, score
from workbench.ui.waiting import active_run, last_failure, watch


@dataclass(frozen=True, slots=True)
class Row:
    """A version with what is known of it on one split."""

    version: ModelVersion
    trained_on: int
    evaluation: Evaluation | None
    current: bool
    """Whether it was measured on the same gold labels as the newest evaluation of the split."""


def draw_compare_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        versions = page.workbench.models.list(page.project)
        if not versions:
            st.info(
                "There is no model version yet. Train one, then see here how good it is.",
                icon=":material/balance:",
            )
            link_to("train", "Train a model", page.project)
            return
        split = _choose_split(page)
        if split is None:
            _draw_table(page, [_row(page, version, {}, None) for version in versions], None)
            return
        evaluations = page.workbench.evaluation.latest(page.project, split)
        newest = max(evaluations.values(), key=lambda item: item.created_at, default=None)
        rows = [_row(page, version, evaluations, newest) for version in versions]
        _draw_table(page, rows, split)
        ready = _measure(page, rows, split)
        _draw_curve(page, rows, split)
        if ready:
            _draw_pair(page, rows, split)
        _draw_promotion(page, versions)


def _choose_split(page: Page) -> Split | None:
    labeled = page.workbench.evaluation.labeled(page.project)
    fair = [split for split in labeled if split in (Split.TEST, Split.VALIDATION)]
    if not fair:
        st.warning(
            "No example of a test or validation split is labeled, so there is nothing to measure versions on that "
            "they were not trained on. Import labeled data as the test split.",
            icon=":material/rule:",
        )
        link_to("data", "Import data", page.project)
        return None
    if len(fair) == 1:
        st.markdown(f"Measured on the **{fair[0]}** split: {count(labeled[fair[0]], 'labeled example')}.")
        return fair[0]
    chosen = st.segmented_control(
        "Measured on",
        fair,
        default=fair[0],
        required=True,
        format_func=lambda split: f"{split} · {count(labeled[split], 'labeled example')}",
    )
    return Split(chosen or fair[0])


def _row(
    page: Page, version: ModelVersion, evaluations: Mapping[int, Evaluation], newest: Evaluation | None
) -> Row:
    evaluation = evaluations.get(version.number)
    counts = page.workbench.models.snapshot(version).counts
    current = evaluation is not None and newest is not None and evaluation.data_hash == newest.data_hash
    return Row(version, int(counts.get("train", 0)), evaluation, current)


def _draw_table(page: Page, rows: Sequence[Row], split: Split | None) -> None:
    task = get_task(page.project.task)
    metric, scale = task.primary_metric, task.metric_scale
    frame = pd.DataFrame([_cells(row, metric, scale) for row in reversed(rows)])
    if not any(row.version.parent for row in rows):
        frame = frame.drop(columns="parent")
    name = metric_name(metric)
    decimals = "%.3f" if scale <= 1 else "%.1f"
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_order=None
        if split
        else [name for name in frame if name not in ("score", "interval", "measured")],
        column_config={
            "version": number("Version", width="small"),
            "promoted": st.column_config.CheckboxColumn("Promoted", width="small"),
            "score": number(f"{name}, {split}" if split else name, format=decimals),
            "interval": st.column_config.TextColumn("95 % interval"),
            "measured": st.column_config.TextColumn("Measured on"),
            "validation": number(
                f"{name}, validation",
                format=decimals,
                help="As measured while training, on held-out examples.",
            ),
            "trained_on": number(
                "Trained on", format="localized", help="Labeled examples that it has learned from."
            ),
            "base": "Base model",
            "parent": number("Continued from", width="small"),
            "created": st.column_config.DatetimeColumn("Trained", format="YYYY-MM-DD HH:mm"),
            "note": "Note",
        },
    )


def _cells(row: Row, metric: str, scale: float) -> dict[str, object]:
    version, evaluation = row.version, row.evaluation
    interval = evaluation.metrics.get("confidence_interval") if evaluation else None
    measured = "not yet"
    if evaluation:
        measured = count(evaluation.examples, "example") + ("" if row.current else ", older labels")
    return {
        "version": version.number,
        "promoted": version.promoted,
        "score": evaluation.metrics.get(metric) if evaluation else None,
        "interval": " to ".join(score(end, scale) for end in interval) if interval else "–",
        "measured": measured,
        "validation": version.metrics.get("validation", {}).get(metric),
        "trained_on": row.trained_on,
        "base": version.base_model,
        "parent": version.parent,
        "created": version.created_at,
        "note": version.note,
    }


def _measure(page: Page, rows: Sequence[Row], split: Split) -> bool:
    """Offer to measure what was not; whether two versions are measured on the same labels."""
    pending = [row.version.number for row in rows if not row.current]
    for number in pending:
        run = active_run(page, RunKind.EVALUATE, model_version=number, split=str(split))
        if run is not None:
            watch(page, run, f"Measuring version {number} on the {split} split")
            return sum(row.current for row in rows) > 1
        failed = last_failure(page, RunKind.EVALUATE, model_version=number, split=str(split))
        if failed is not None:
            st.error(f"Measuring version {number} failed: {failed.error}", icon=":material/error:")
    if pending:
        names = ", ".join(map(str, pending))
        text, button = st.columns([4, 1], vertical_alignment="center")
        what = "Version" if len(pending) == 1 else "Versions"
        text.markdown(
            f"{what} **{names}** {'was' if len(pending) == 1 else 'were'} not measured on these labels yet."
        )
        if button.button("Measure", icon=":material/straighten:", type="primary", width="stretch"):
            _launch(page, pending, split)
    return sum(row.current for row in rows) > 1


def _launch(page: Page, numbers: Sequence[int], split: Split) -> None:
    """Ask the models for what they have not predicted; where they have, the labels of now are enough."""
    for number in numbers:
        if page.workbench.evaluation.missing(page.project, number, split):
            page.workbench.evaluation.launch(page.project, number, split, user_id=page.user.id)
        else:
            page.workbench.evaluation.evaluate(page.project, number, split)
    st.rerun()


def _draw_curve(page: Page, rows: Sequence[Row], split: Split) -> None:
    task = get_task(page.project.task)
    points = []
    for row in rows:
        if row.evaluation is None or not row.current:
            continue
        low, high = row.evaluation.metrics.get("confidence_interval") or (None, None)
        value = float(row.evaluation.metrics[task.primary_metric])
        points.append(
            charts.CurvePoint(
                str(row.version.number), row.trained_on, value, low, high, row.version.base_model
            )
        )
    if not points:
        return
    st.subheader("Learning curve")
    if len(points) < 3:
        st.caption(
            "Each version is one point, with its 95 % interval; with three or more a trend can be seen."
        )
    points.sort(key=lambda point: point.examples)
    st.altair_chart(
        charts.learning_curve(
            points, f"{metric_name(task.primary_metric)} on the {split} split", task.metric_scale
        ),
        width="stretch",
    )


@st.cache_data(ttl=120, show_spinner="Comparing…", max_entries=20)  # type: ignore[untyped-decorator]
def _compared(_page: Page, a: int, b: int, split: Split, stamp: tuple[object, ...]) -> Comparison:
    """Kept while neither version is measured anew, two minutes at most."""
    return _page.workbench.comparison.compare(_page.project, a, b, split)


def _draw_pair(page: Page, rows: Sequence[Row], split: Split) -> None:
    st.subheader("One against the other")
    measured = {row.version.number: row for row in rows if row.current}
    numbers = sorted(measured)
    promoted = next((n for n in numbers if measured[n].version.promoted), None)
    newest = numbers[-1]
    base = promoted if promoted is not None and promoted != newest else numbers[-2]
    left, right = st.columns(2)

    def name(number: int) -> str:
        row = measured[number]
        return f"Version {number} · {count(row.trained_on, 'example')}" + (
            " · promoted" if row.version.promoted else ""
        )

    a = left.selectbox("A", numbers, index=numbers.index(base), format_func=name, help="What is there now.")
    b = right.selectbox(
        "B", numbers, index=numbers.index(newest), format_func=name, help="What might replace it."
    )
    if a == b:
        st.info("Choose two different versions.", icon=":material/balance:")
        return
    stamp = tuple(str(measured[number].evaluation) for number in (a, b))
    comparison = _compared(page, a, b, split, (page.workbench.store.url, page.project.id, *stamp))
    draw_comparison(page, comparison)


def _draw_promotion(page: Page, versions: Sequence[ModelVersion]) -> None:
    st.subheader("Promote")
    promoted = next((version for version in versions if version.promoted), None)
    if promoted is not None and promoted.promoted_at is not None:
        why = f": {promoted.note}" if promoted.note else "."
        st.markdown(
            f"Version **{promoted.number}** is promoted since {promoted.promoted_at:%Y-%m-%d %H:%M}{why}"
        )
    else:
        st.caption("The promoted version is the one that is exported as the best.")
    if page.user.role.rank < Role.LEAD.rank:
        return
    with st.form("promote", border=False):
        left, middle, right = st.columns([2, 5, 2], vertical_alignment="bottom")
        numbers = [version.number for version in versions][::-1]
        chosen = left.selectbox("Version", numbers, format_func=lambda number: f"Version {number}")
        reason = middle.text_input(
            "Reason", placeholder="why this one: kept as the version's note", max_chars=500
        )
        if right.form_submit_button("Promote", icon=":material/verified:", width="stretch"):
            page.workbench.team.require(page.user, Role.LEAD)
            page.workbench.models.promote(page.project, chosen, page.user.id)
            if reason.strip():
                page.workbench.models.set_note(page.project, chosen, reason.strip())
            st.rerun()
