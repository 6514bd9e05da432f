"""The Progress page: what labels have bought, what the next ones would, and whether to stop."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import pandas as pd
import streamlit as st

from workbench.domain import RunKind, Split
from workbench.services.pairs import fair_splits
from workbench.services.progress import AXES, LABELS, Progress, hours_said
from workbench.ui.address import kept_choice
from workbench.ui.charts import draw_once
from workbench.ui.compare_page import measure_version
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.progress_chart import progress_chart
from workbench.ui.tables import draw_table
from workbench.ui.theme import count, metric_title, score
from workbench.ui.waiting import active_run, watch

MEANING = """
**Learning curve.** Each version that was measured on the labels of now is a point, with its 95 % interval over the
examples that it was measured on. Versions from other base models are shown, but the curve is not drawn through them.

**Where it is heading.** A power law through the points (score = ceiling − drop × labels^−rate), and the range in which
it lies in 95 of 100 redrawings of its errors. It knows nothing but these points: other labels, another base model
or another way to choose what to label bend the curve. The further ahead, the less it is worth.

**By lot.** A model asks for what it finds hard, so its score on what was just labeled is worse than on the pool as
a whole. Examples drawn by lot are the pool. Each is judged by versions that had predicted it before it was labeled.
With few of them the interval is wide.

**Agreement.** Cohen's kappa of each version with the one before it, on pool examples that nobody has labeled and that
a fixed lot has chosen: 1 is full agreement, 0 what chance would give. When the mean of the last three is 0.99 or
more, more labels *of the kind being asked* barely change what the model says (Bloodgood and Vijay-Shanker 2009).
It does **not** say that what it says is right: a model may be sure and wrong, always in the same way. Examples that
are labeled leave the set; what stays is a little easier. Trust it together with the curve and the lots, never alone.

**Hours** are those logged on the Label page. Where none were (imported labels), they are predicted from the words.
"""


def draw_progress_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        if not page.workbench.models.list(page.project):
            st.info(
                "There is no model version yet. Train one, then see here what labels buy.",
                icon=":material/trending_up:",
            )
            link_to("train", "Train a model", page.project)
            return
        split, labels = _choose(page)
        found = page.workbench.progress.report(page.project, split, labels)
        _draw_figures(found)
        _draw_what_it_says(page, found)
        _draw_curve(found)
        _draw_stop(page, found)
        with st.expander("What these figures mean, and what they don't", icon=":material/help:"):
            st.markdown(MEANING)


def _choose(page: Page) -> tuple[Split | None, int]:
    labeled = page.workbench.evaluation.labeled(page.project)
    fair = [str(split) for split in fair_splits(labeled)]
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.markdown("Is labeling paying?")
    labels = right.number_input(
        "The next labels", 10, 100_000, LABELS, step=50, help="How many more labels the forecast is for."
    )
    if len(fair) < 2:
        return (Split(fair[0]) if fair else None), int(labels)
    chosen = kept_choice(
        left,
        "Measured on",
        fair,
        name="split",
        scope=f"progress-{page.project.id}",
        default=fair[0],
        format_func=lambda name: f"{name} split · {count(labeled[Split(name)], 'labeled example')}",
        kind="segments",
    )
    return Split(chosen), int(labels)


def _draw_figures(found: Progress) -> None:
    columns = st.columns(4)
    times = 100.0 / found.scale
    newest = max(found.points, key=lambda point: point.version, default=None)
    interval = None
    if newest is not None and newest.low is not None:
        interval = f"{score(newest.low, found.scale)} to {score(newest.high, found.scale)}"
    title = (
        f"{metric_title(found.metric)}, version {newest.version}" if newest else metric_title(found.metric)
    )
    columns[0].metric(
        f":red[{title}, too high]" if newest and newest.warning else title,
        score(newest.score if newest else None, found.scale),
        interval,
        delta_color="off",
        delta_arrow="off",
        help=f"On the {found.split} split; below it the 95 % interval.",
    )
    gain = found.next.gain
    columns[1].metric(
        f"Next {found.next.labels:,} labels",
        "–" if gain is None else f"{gain.value * times:+.1f} points",
        None if gain is None else f"{gain.low * times:.1f} to {gain.high * times:.1f}",
        delta_color="off",
        delta_arrow="off",
        help="The gain that the learning curve leads to expect; below it the 95 % interval.",
    )
    columns[2].metric(
        "For about",
        hours_said(found.next.hours),
        f"{found.next.words:,.0f} words",
        delta_color="off",
        delta_arrow="off",
        help=found.cost.sentence,
    )
    recent = found.stop.stability.recent
    columns[3].metric(
        "Versions agree",
        "–" if recent is None else f"{recent:.3f}",
        "settled" if found.stop.stability.stop else "not settled" if recent is not None else None,
        delta_color="off",
        delta_arrow="off",
        help="Mean kappa of the last three pairs of versions on unlabeled text; settled from 0.99.",
    )


def _draw_what_it_says(page: Page, found: Progress) -> None:
    for warning in found.warnings:
        st.error(warning, icon=":material/warning:")
    gain, lots, _, seconds = found.sentences
    st.markdown(f"**{gain}**")
    st.markdown(lots)
    st.caption(seconds)
    run = active_run(page, RunKind.EVALUATE)
    if run is not None:
        watch(page, run, f"Measuring version {run.parameters['model_version']}")
    elif found.unmeasured:
        numbers = ", ".join(map(str, found.unmeasured))
        what = "Version" if len(found.unmeasured) == 1 else "Versions"
        text, button = st.columns([4, 1], vertical_alignment="center")
        text.caption(f"{what} {numbers} left out: not measured on the labels of now.")
        if found.split is not None and button.button(
            "Measure", icon=":material/straighten:", width="stretch"
        ):
            for number in found.unmeasured:
                measure_version(page, number, found.split)
            st.rerun()


def _draw_curve(found: Progress) -> None:
    if not found.points:
        return
    axis = (
        st.segmented_control(
            "Against",
            list(AXES),
            default="examples",
            required=True,
            key="progress-axis",
            format_func=lambda name: {"examples": "Labels", "words": "Words", "hours": "Hours"}[name],
        )
        or "examples"
    )
    draw_once(f"{axis} {found!r}", partial(progress_chart, found, axis))
    if any(point.audit.score is not None for point in found.points):
        st.caption(
            "Diamonds: the same version on examples of the pool, drawn by lot, that it had not learned from."
        )
    law = found.law(axis)
    if law is not None:
        ceiling = law.ceiling
        st.caption(
            "Dashed: where the curve is heading, with its 95 % interval, cut off at the chart's edge. Labels without "
            f"end would lead to about {score(ceiling.value, found.scale)} ({score(ceiling.low, found.scale)} to "
            f"{score(ceiling.high, found.scale)}); of all its figures this is the least certain."
        )
    _draw_table(found)


def _draw_table(found: Progress) -> None:
    table = st.expander("In figures", icon=":material/table:", key="progress-table", on_change="rerun")
    if not table.open:
        return
    with table:
        name = metric_title(found.metric)
        form = "%.3f" if found.scale <= 1 else "%.1f"
        draw_table(
            pd.DataFrame(
                [
                    {
                        "Version": point.version,
                        name: point.score,
                        "95 % interval": _interval(point.low, point.high, found.scale),
                        "Labels": point.examples,
                        "Words": point.words,
                        "Hours": point.hours,
                        "Logged": point.logged,
                        "By lot": point.audit.score,
                        "Examples by lot": point.audit.examples,
                        "Base model": point.base_model,
                    }
                    for point in found.points
                ]
            ),
            column_config={
                name: st.column_config.NumberColumn(format=form),
                "By lot": st.column_config.NumberColumn(
                    format=form, help="Its score on examples drawn by lot that it had not learned from."
                ),
                "Labels": st.column_config.NumberColumn(format="localized"),
                "Words": st.column_config.NumberColumn(format="localized"),
                "Hours": st.column_config.NumberColumn(format="%.1f"),
                "Logged": st.column_config.NumberColumn(
                    format="percent",
                    help="Of the labels, how many have their time logged; the rest is predicted.",
                ),
            },
        )


def _interval(low: float | None, high: float | None, scale: float) -> str:
    return "–" if low is None or high is None else f"{score(low, scale)} to {score(high, scale)}"


def _draw_stop(page: Page, found: Progress) -> None:
    st.subheader("Do versions still change their minds?")
    stop = found.stop
    run = active_run(page, RunKind.SCORE)
    if run is not None and run.parameters.get("stop_set"):
        watch(page, run, f"Version {run.parameters['model_version']} reads the stop set")
        return
    st.markdown(stop.stability.sentence)
    if stop.stability.kappas:
        st.markdown(_pairs(stop.versions, stop.stability.kappas))
        st.caption(f"On {count(stop.examples, 'unlabeled example')} of the pool, chosen by a fixed lot.")
    if not stop.unread:
        return
    numbers = ", ".join(map(str, stop.unread))
    text, button = st.columns([4, 1], vertical_alignment="center")
    text.markdown(
        f"Version **{numbers}** has not read these examples. Reading them takes a pass over "
        f"{count(stop.examples or 1000, 'example')} or fewer; scoring the pool does it too."
    )
    if button.button("Read", icon=":material/menu_book:", width="stretch"):
        for number in stop.unread:
            page.workbench.stop_sets.read(page.project, number, page.user.id)
        st.rerun()


def _pairs(versions: Sequence[int], kappas: Sequence[float]) -> str:
    """A table of a few rows, as Markdown: it stands there before any table's code is loaded."""
    rows = [
        f"| {a} and {b} | {value:.3f} |" for (a, b), value in zip(pairwise(versions), kappas, strict=True)
    ]
    return "\n".join(["| Versions | Agreement (kappa) |", "|---|---:|", *rows])
