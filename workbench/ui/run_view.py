"""One run, live: state, numbers, curves, log, cancel and resume. All of it is read from the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import streamlit as st

from workbench.domain import Run, RunEvent, RunKind, RunState
from workbench.tasks import get_task
from workbench.ui.confirm import STOP_QUESTION, confirmed
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.run_charts import line_chart, validation_chart
from workbench.ui.text_view import verbatim
from workbench.ui.theme import duration, metric_title, score

POLL_SECONDS = 1.0
LOG_LINES = 400
LOG_HEIGHT = 260
LOG_COLUMNS = 60
"""About so many characters fit a line of the log."""

Color = Literal["blue", "green", "red", "orange", "gray"]

STATES: Mapping[RunState, tuple[str, str, Color]] = {
    RunState.QUEUED: ("queued", ":material/schedule:", "gray"),
    RunState.RUNNING: ("running", ":material/autorenew:", "blue"),
    RunState.SUCCEEDED: ("succeeded", ":material/check_circle:", "green"),
    RunState.FAILED: ("failed", ":material/error:", "red"),
    RunState.CANCELLED: ("cancelled", ":material/block:", "orange"),
}
KINDS = {
    RunKind.TRAIN: "Training",
    RunKind.SCORE: "Scoring the pool",
    RunKind.EMBED: "Reading the pool",
    RunKind.EVALUATE: "Evaluation",
    RunKind.EXPORT: "Export",
    RunKind.SIMULATE: "Simulation",
    RunKind.SUSPECTS: "Search for label errors",
}


def draw_run(page: Page, run_id: int) -> None:
    """Draw a run. While it may change, it is drawn again every second; when its state does, the whole page is."""
    state = page.workbench.runs.get(run_id).state

    def body() -> None:
        with page.guarded():
            run = page.workbench.runs.get(run_id)
            if run.state is not state:
                st.rerun()
            _draw(page, run)

    st.fragment(body, run_every=POLL_SECONDS if state.active else None)()


def _draw(page: Page, run: Run) -> None:
    events = _events(page, run)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"Run {run.id}: {KINDS.get(run.kind, str(run.kind))}", width="content")
        word, icon, color = STATES[run.state]
        st.badge(word, icon=icon, color=color)
        if run.attempt > 1:
            st.badge(f"attempt {run.attempt}", color="gray")
        st.space("stretch")
        _draw_actions(page, run)
    _draw_state(page, run)
    if run.state.active or run.progress:
        _draw_numbers(page, run)
    _draw_curves(page, run, [event.data for event in events if event.kind == "metric"])
    _draw_log([event for event in events if event.kind == "log"])
    _draw_record(page, run)


def _draw_actions(page: Page, run: Run) -> None:
    if run.cancel_requested and run.state.active:
        st.caption("Stopping…", width="content")
    elif run.state.active:
        if confirmed(
            "Cancel",
            STOP_QUESTION,
            yes="Yes, cancel it",
            key=f"cancel_{run.id}",
            icon=":material/stop_circle:",
        ):
            page.workbench.runs.cancel(run.id)
            st.rerun()
    elif run.state in (RunState.FAILED, RunState.CANCELLED):
        label = "Resume" if run.state is RunState.FAILED else "Start again"
        told = "Goes on from its last checkpoint where there is one, with the same data and parameters."
        if st.button(label, icon=":material/replay:", key=f"resume_{run.id}", help=told):
            page.workbench.runs.resume(run.id)
            st.rerun()


def _draw_state(page: Page, run: Run) -> None:
    if run.state is RunState.QUEUED:
        ahead = page.workbench.runs.waits_for(run)
        if ahead:
            named = ", ".join(f"run {other.id} ({KINDS[other.kind].lower()})" for other in ahead)
            st.info(f"It waits for {named} on {run.device}.", icon=":material/schedule:")
        else:
            st.info("It starts in a moment.", icon=":material/schedule:")
    elif run.state is RunState.FAILED:
        st.error(run.error or "It failed without a word.", icon=":material/error:")
    elif run.state is RunState.CANCELLED:
        st.warning("It was cancelled; nothing of it was kept.", icon=":material/block:")
    elif run.state is RunState.RUNNING and run.progress.get("waits_for"):
        st.info(str(run.progress["waits_for"]), icon=":material/schedule:")
    elif page.workbench.runs.quiet(run):
        st.warning("The worker has given no sign of life for a while.", icon=":material/heart_broken:")
    if run.state is RunState.SUCCEEDED and run.kind is RunKind.TRAIN:
        number = run.result["model_version"]
        examples = run.result.get("examples", 0)
        st.success(
            f"Version {number} is there: {examples:,} examples, {duration(run.result.get('seconds'))} "
            f"on {run.result.get('device')}.",
            icon=":material/check_circle:",
        )
        with st.container(horizontal=True):
            link_to("compare", f"Look at version {number}", page.project)
            link_to("select", "Select what to label next", page.project)


def _draw_numbers(page: Page, run: Run) -> None:
    progress = run.progress
    done, total = _number(progress.get("done")), _number(progress.get("total"))
    if total:
        phase = str(progress.get("phase") or "working")
        st.progress(
            min(1.0, (done or 0) / total), text=f"{phase.capitalize()}: {done or 0:,.0f} of {total:,.0f}"
        )
    elif run.state is RunState.RUNNING:
        st.progress(0.0, text="Loading the model and the data")
    seconds = _number(progress.get("seconds_left")) if run.state.active else None
    started = run.started_at
    spent = ((run.finished_at or datetime.now(UTC)) - started).total_seconds() if started else None
    rate, memory = _number(progress.get("examples_per_second")), _number(progress.get("memory_mb"))
    learning_rate, loss, epoch = (_number(progress.get(key)) for key in ("learning_rate", "loss", "epoch"))
    shown = (
        ("Epoch", f"{epoch:.2f}" if epoch is not None else None),
        ("Loss", f"{loss:.4f}" if loss is not None else None),
        ("Learning rate", f"{learning_rate:.1e}" if learning_rate is not None else None),
        ("Examples/s", f"{rate:,.0f}" if rate is not None else None),
        ("Time spent", duration(spent) if spent is not None else None),
        ("Time left", duration(seconds) if seconds is not None else None),
        ("Memory", f"{memory:,.0f} MB" if memory is not None else None),
        ("Device", str(progress.get("device") or run.device or "")),
    )
    told = [(label, value) for label, value in shown if value]
    for begin in range(0, len(told), 4):
        for column, (label, value) in zip(st.columns(4), told[begin : begin + 4], strict=False):
            column.markdown(f":small[:gray[{label}]]  \n**{value}**")


def _draw_curves(page: Page, run: Run, rows: list[Mapping[str, Any]]) -> None:
    if run.kind is not RunKind.TRAIN:
        return
    task = get_task(page.project.task)
    keys = list(
        dict.fromkeys(
            key.removeprefix("validation_") for row in rows for key in row if key.startswith("validation_")
        )
    )
    keys.sort(key=lambda key: (key != task.primary_metric, key))
    loss = line_chart(rows, "loss", "Training loss", zero=True)
    drawn = [key for key in keys if key != "accuracy" or key == task.primary_metric][:3]
    validation = validation_chart(rows, drawn, task.metric_scale)
    if validation is not None:
        st.altair_chart(validation, width="stretch", key=f"validation_{run.id}")
    elif run.state.active:
        st.caption("Validation scores are drawn here after each epoch.")
    if validation is not None:
        latest = {key: next(row for row in reversed(rows) if f"validation_{key}" in row) for key in keys}
        said = ", ".join(
            f"{metric_title(key)} {score(_number(latest[key][f'validation_{key}']), task.metric_scale)}"
            for key in keys
        )
        st.caption(f"Latest validation: {said}.")
    if loss is not None:
        st.altair_chart(loss, width="stretch", key=f"loss_{run.id}")
    elif run.state.active:
        st.caption("The loss is drawn here after the first steps.")
    further = {
        "adapting_loss": "Loss of filling in words",
        "learning_rate": "Learning rate",
        "examples_per_second": "Examples per second",
        "memory_mb": "Memory, MB",
    }
    charts = {key: line_chart(rows, key, title, zero=True) for key, title in further.items()}
    if any(chart is not None for chart in charts.values()):
        with st.expander("Learning rate, speed, memory", icon=":material/show_chart:"):
            for key, chart in charts.items():
                if chart is not None:
                    st.altair_chart(chart, width="stretch", key=f"{key}_{run.id}")


def _draw_log(events: list[RunEvent]) -> None:
    lines = [f"{event.at:%H:%M:%S}  {event.data.get('message', '')}" for event in events]
    if not lines:
        return
    hidden = len(lines) - LOG_LINES
    if hidden > 0:
        st.caption(f"{hidden:,} earlier lines: `workbench runs logs {events[0].run_id}`")
    shown = lines[-LOG_LINES:]
    rows = sum(1 + len(line) // LOG_COLUMNS for line in shown)
    with st.container(height=min(LOG_HEIGHT, 50 + 21 * rows), autoscroll=True, border=False):
        st.html(verbatim("\n".join(shown)))


def _draw_record(page: Page, run: Run) -> None:
    with st.expander("Record", icon=":material/receipt_long:"):
        st.caption("Everything that is needed to make the same run again.")
        facts: dict[str, object] = {
            "Parameters": {key: value for key, value in run.parameters.items() if key != "snapshot"},
            "Queued": f"{run.created_at:%Y-%m-%d %H:%M:%S} UTC",
        }
        if run.finished_at:
            facts["Ended"] = f"{run.finished_at:%Y-%m-%d %H:%M:%S} UTC"
        if run.parameters.get("snapshot"):
            data = page.workbench.training.snapshot(run)
            facts["Examples"] = dict(data.counts)
            facts["Labels"] = list(data.labels)
            facts["Hash of the data"] = data.content_hash
        if run.result.get("environment"):
            facts["Computed with"] = run.result["environment"]
        st.html(verbatim(json.dumps(facts, indent=2, ensure_ascii=False, default=str)))


def _events(page: Page, run: Run) -> list[RunEvent]:
    """The run's events; a session reads each once."""
    key = f"run_events_{run.id}"
    known: list[RunEvent] = st.session_state.setdefault(key, [])
    known.extend(page.workbench.runs.events(run.id, known[-1].id if known else 0))
    return known


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
