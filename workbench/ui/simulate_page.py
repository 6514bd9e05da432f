"""The Simulate page: replay labeled data by several strategies, watch the curves grow, take the report along."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from workbench.acquisition import strategies_for
from workbench.domain import Run, Split, TrainParameters
from workbench.evidence.replay import GOAL
from workbench.services.downloads import Download
from workbench.services.simulationchart import AXES, colours, frame_of
from workbench.services.simulationreport import BANDS, arms_of, mean_curves, points_csv, report_html, verdict
from workbench.ui.address import kept_choice
from workbench.ui.charts import cost_axis, draw_once
from workbench.ui.glossary import explain
from workbench.ui.page import Page
from workbench.ui.run_view import STATES, draw_run
from workbench.ui.theme import GREY, count, metric_title
from workbench.web.downloads import download_address

RUN = "run"
"""The simulation that is looked at, in the address."""

REMEMBERED = 20

SELECT_WIDTH = 360
"""Pixels."""


def draw_simulate_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        runs = page.workbench.simulation.list(page.project)[:REMEMBERED]
        with page.guarded():
            _draw_launch(page, runs)
        with page.guarded():
            _draw_chosen(page, runs)


def _draw_launch(page: Page, runs: tuple[Run, ...]) -> None:
    """What to replay; once there is a simulation, behind a drawer, so that the page is what came of it."""
    st.markdown(
        "A simulation takes a labeled split for an unlabeled pool and its labels for the annotator, and trains a model "
        "after each batch. It shows which strategy needs the fewest labels on data like yours. Your labels are not "
        "touched."
    )
    launched = f"simulate-{page.project.id}-launched"
    drawer = st.expander(
        "Replay labeled data",
        icon=":material/science:",
        expanded=not runs,
        key=f"{launched}-{st.session_state.setdefault(launched, 0)}",  # closes only by being another one
        on_change="rerun",
    )
    if not drawer.open:
        return
    names = {strategy.name: strategy.title for strategy in strategies_for(page.project.task)}
    others = [name for name in names if name != "random"]
    with drawer, st.form("simulate", border=False):
        chosen = st.multiselect(
            "Strategies, beside random", others, default=others[:2], format_func=lambda name: names[name]
        )
        splits = [str(split) for split in Split]
        left, middle, right = st.columns(3)
        pool = left.selectbox("Replay the split", splits, index=splits.index("pool"))
        measured_on = middle.selectbox("Measure on the split", splits, index=splits.index("test"))
        seeds = right.number_input(
            "Repetitions", 1, 20, 3, help="Each begins with another first batch by lot."
        )
        rounds = left.number_input("Batches after the first", 1, 200, 8)
        words = middle.number_input("Words of a batch", 10, 1_000_000, 2_000, step=100)
        epochs = right.number_input(
            "Epochs of each training",
            0.1,
            100.0,
            TrainParameters().epochs,
            format="%.1f",
            help=explain("epoch"),
        )
        models = int(seeds) * (2 + int(rounds) * (1 + len(chosen)))
        st.caption(f"About {count(models, 'model')} will be trained, one after another.")
        pressed = st.form_submit_button("Simulate", type="primary", icon=":material/play_arrow:")
    if pressed:
        run = page.workbench.simulation.launch(
            page.project,
            chosen,
            seeds=int(seeds),
            rounds=int(rounds),
            batch_words=int(words),
            pool=pool,
            measured_on=measured_on,
            parameters=TrainParameters(epochs=float(epochs)),
            user_id=page.user.id,
        )
        st.query_params[RUN] = str(run.id)
        st.session_state[launched] += 1
        st.rerun()


def _draw_chosen(page: Page, runs: tuple[Run, ...]) -> None:
    if not runs:
        st.info("No simulation yet.", icon=":material/science:")
        return
    by_id = {run.id: run for run in runs}
    asked = st.query_params.get(RUN, "")
    start = int(asked) if asked.isdigit() and int(asked) in by_id else runs[0].id
    chosen = st.selectbox(
        "Simulation",
        list(by_id),
        index=list(by_id).index(start),
        format_func=lambda number: f"Run {number}, {STATES[by_id[number].state][0]}",
        width=SELECT_WIDTH,
    )
    if str(chosen) != asked:
        st.query_params[RUN] = str(chosen)
    draw_run(page, chosen)
    run = page.workbench.runs.get(chosen)
    report = page.workbench.simulation.report(page.project, run)
    if not report["curves"]:
        begun = "The first model is still being trained."
        st.caption(begun if run.state.active else "It ended before its first model was there.")
        return
    st.markdown(f"**{verdict(report)}**")
    axis = kept_choice(
        st.container(),
        "Against",
        list(AXES),
        name="against",
        scope=f"simulate-{page.project.id}",
        default="words",
        format_func={"words": "Words", "seconds": "Hours"}.__getitem__,
        kind="segments",
    )
    draw_once(f"{axis} {report!r}", partial(curve_chart, report, axis, AXES[axis]))
    st.caption(f"{BANDS} {report['seconds_from']}")
    _draw_downloads(page, run, report)


def _draw_downloads(page: Page, run: Run, report: dict[str, Any]) -> None:
    key = f"simulation-{page.project.id}-{run.id}"
    if st.button("Make the report", icon=":material/build:"):
        texts = {"html": report_html(report), "csv": points_csv(report)}
        stem = f"{page.project.name}-simulation-{run.id}"
        st.session_state[key] = {
            kind: page.workbench.downloads.publish(f"{stem}.{kind}", page.user, _writer(text))
            for kind, text in texts.items()
        }
    made: dict[str, Download] = st.session_state.get(key, {})
    for kind, download in made.items():
        st.link_button(
            {"html": "Report", "csv": "Points"}[kind], download_address(download), icon=":material/download:"
        )


def _writer(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")


def curve_chart(report: dict[str, Any], axis: str, title: str) -> alt.LayerChart | None:
    """Mean curves with their bands, single seeds, the full data's score; None while no strategy has a curve."""
    arms, scale = arms_of(report), 3600.0 if axis == "seconds" else 1.0
    rows = [
        {"strategy": name, "cost": at, "mean": s.mean, "low": s.low, "high": s.high}
        for name, line in mean_curves(report, axis).items()
        for at, s in line
    ]
    if len({row["cost"] for row in rows}) < 2:
        return None
    frame = frame_of(arms, report["full_data"], axis, float(report["scale"]))
    metric = metric_title(report["metric"])
    chosen = colours(list(arms))
    colour = alt.Color(
        "strategy:N",
        title=None,
        legend=alt.Legend(orient="top", symbolType="stroke", symbolOpacity=1, symbolStrokeWidth=3),
        scale=alt.Scale(domain=list(chosen), range=list(chosen.values())),
    )
    x = alt.X(
        "cost:Q",
        title=title.capitalize(),
        scale=alt.Scale(domain=[0, frame.right]),
        axis=cost_axis(in_hours=axis == "seconds"),
    )
    height = alt.Scale(domain=[frame.low, frame.high], nice=False, zero=False)
    y = alt.Y("mean:Q", title=metric, scale=height)
    seeds = [
        {"strategy": name, "seed": f"{name} {number}", "cost": point[axis] / scale, "mean": point["metric"]}
        for name, arm in arms.items()
        for number, one in enumerate(arm)
        for point in one
    ]
    base = alt.Chart(pd.DataFrame(rows).astype({"low": "float64", "high": "float64"}))
    layers: list[alt.Chart] = _goal_layers(report, height, metric)
    if any(row["low"] is not None for row in rows):
        layers.append(
            base.mark_area(opacity=0.13, clip=True).encode(
                x=x, y=alt.Y("low:Q", title=metric, scale=height), y2="high:Q", color=colour
            )
        )
    layers += [
        alt.Chart(pd.DataFrame(seeds))
        .mark_line(opacity=0.3, strokeWidth=1)
        .encode(x=x, y=y, color=colour, detail="seed:N"),
        base.mark_line(strokeWidth=2.5).encode(
            x=x,
            y=y,
            color=colour,
            tooltip=[
                alt.Tooltip("strategy:N", title="Strategy"),
                alt.Tooltip("cost:Q", title=title.capitalize(), format=",.1f"),
                alt.Tooltip("mean:Q", title=metric, format=".3f"),
            ],
        ),
    ]
    return alt.layer(*layers).properties(height=340)


def _goal_layers(report: dict[str, Any], height: alt.Scale, metric: str) -> list[alt.Chart]:
    """The full data's score and 99 % of it."""
    if not report["full_data"]:
        return []
    full = float(report["full_data"]["metric"]["mean"])
    goals = pd.DataFrame(
        [
            {"mean": full, "name": "full data", "dash": "line"},
            {"mean": GOAL * full, "name": f"{GOAL:.0%} of it", "dash": "dashes"},
        ]
    )
    y = alt.Y("mean:Q", title=metric, scale=height)
    dashes = alt.StrokeDash(
        "dash:N", legend=None, scale=alt.Scale(domain=["line", "dashes"], range=[[1, 0], [5, 4]])
    )
    base = alt.Chart(goals)
    return [
        base.mark_rule(color=GREY).encode(y=y, strokeDash=dashes),
        *(
            alt.Chart(goals[goals["dash"] == dash])
            .mark_text(align="left", dx=6, dy=away, color=GREY)
            .encode(x=alt.value(0), y=y, text="name:N")
            for dash, away in (("line", -7), ("dashes", 9))
        ),
    ]
