"""The Train page: launch a training run, watch it, find the earlier ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from workbench.basemodels import BASE_MODELS
from workbench.domain import Run, RunKind, Split, TrainParameters
from workbench.services.seeds import MOST_SEEDS
from workbench.services.training import PRESETS
from workbench.tasks import get_task
from workbench.ui.glossary import explain
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.run_view import KINDS, STATES, draw_run
from workbench.ui.tables import draw_table, rows_key
from workbench.ui.theme import count, duration, score
from workbench.ui.train_choices import draw_choices
from workbench.ui.train_seeds import draw_seeds

RUN = "run"
"""The run that is looked at, in the address."""

OTHER = "another model"
SHOWN_RUNS = 100
LAST = "last"
SET_BY_PRESETS = frozenset(name for preset in PRESETS.values() for name in preset.changes)


def draw_train_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        runs = page.workbench.runs.list(page.project, limit=SHOWN_RUNS)
        form, view = st.columns([2, 3], gap="large")
        with form, page.guarded():
            _draw_launch(page)
        with view, page.guarded():
            _draw_chosen(page, runs)
        if runs:
            _draw_runs(page, runs)


# --- launch -----------------------------------------------------------------------------------------


def _draw_launch(page: Page) -> None:
    st.subheader("Train a new version")
    counts = page.workbench.datasets.counts(page.project)
    training = counts.gold[Split.POOL] + counts.gold[Split.TRAIN]
    if not training:
        st.info(
            "There is nothing to learn from yet: no example of the pool or the train split has a label. "
            "Label a few, or import labeled data.",
            icon=":material/label_off:",
        )
        with st.container(horizontal=True):
            link_to("label", "Label examples", page.project)
            link_to("data", "Import labeled data", page.project)
        return
    held = counts.gold[Split.VALIDATION]
    st.markdown(
        f"**{count(training, 'labeled example')}** to learn from, "
        + (
            f"{held:,} to validate on."
            if held
            else "a tenth of them, whole documents, held out to validate on."
        )
    )
    parameters = _draw_parameters(page)
    seeds = st.number_input(
        "Seeds",
        1,
        MOST_SEEDS,
        1,
        1,
        help="So many runs one after another that differ in the seed alone: their spread says how much of a "
        "difference between two versions is chance.",
    )
    if parameters is not None and st.button(
        "Train", type="primary", icon=":material/play_arrow:", width="stretch"
    ):
        runs = page.workbench.training.launch_seeds(page.project, parameters, int(seeds), page.user.id)
        st.query_params[RUN] = str(runs[0].id)
        st.rerun()


def _draw_parameters(page: Page) -> TrainParameters | None:
    preset = st.segmented_control(
        "Preset", list(PRESETS), default="balanced", required=True, format_func=lambda key: PRESETS[key].title
    )
    chosen = PRESETS[preset or "balanced"]
    st.caption(chosen.sentence)
    base = replace(TrainParameters(device=page.workbench.settings.device), **chosen.changes)
    start = _draw_start(page)
    if start is None:
        return None
    return replace(base, **start, **_advanced(page, base, str(preset)))


def _advanced(page: Page, base: TrainParameters, preset: str) -> dict[str, Any]:
    """What the drawer says beside a preset. Its widgets exist only while it is open; what they said stays."""
    key = f"advanced-{page.project.id}"
    said: dict[str, dict[str, Any]] = st.session_state.setdefault(f"{key}-said", {})
    before = said.get(preset)
    if before is None:  # what no preset sets is the same beside each
        before = {name: value for name, value in said.get(LAST, {}).items() if name not in SET_BY_PRESETS}
    drawer = st.expander("Advanced", icon=":material/tune:", key=key, on_change="rerun")
    if not drawer.open:
        st.session_state.pop(f"{key}-begun", None)
        changed = sum(value != getattr(base, name) for name, value in before.items())
        if changed:
            st.caption(f"{count(changed, 'setting')} of Advanced {'is' if changed == 1 else 'are'} changed.")
        return before
    # Widgets must begin the same as long as they are there: one that begins otherwise is another widget.
    begun = st.session_state.get(f"{key}-begun")
    if begun is None or begun[0] != preset:
        begun = st.session_state[f"{key}-begun"] = (preset, before)
    with drawer:
        said[preset] = said[LAST] = draw_choices(page, replace(base, **begun[1]), preset)
        if page.workbench.settings.ray_address:
            _draw_cluster(page)
    return said[preset]


def _draw_cluster(page: Page) -> None:
    """What the cluster has free; asked for only when somebody wants to know, since it may be slow to answer."""
    if st.button("What is free in the cluster?", icon=":material/hub:", type="tertiary"):
        capacity = page.workbench.runs.cluster().capacity()
        st.markdown(f"{capacity.describe()}.")
        draw_table(
            [
                {
                    "node": node.address,
                    "role": "head" if node.head else "worker",
                    "CPUs": node.cpus,
                    "GPUs": node.gpus,
                }
                for node in capacity.nodes
            ],
        )


def _draw_start(page: Page) -> dict[str, Any] | None:
    """What to begin with: a base model, one of the project's versions, or another name."""
    versions = [version for version in page.workbench.models.list(page.project) if version.usable]
    options = [*BASE_MODELS, *(str(version.number) for version in reversed(versions)), OTHER]
    titles = {name: info.title for name, info in BASE_MODELS.items()}
    titles |= {str(version.number): f"Continue version {version.number}" for version in versions}
    titles[OTHER] = "Another model…"
    name = st.selectbox(
        "Begin with", options, format_func=lambda option: titles[option], help=explain("base-model")
    )
    if name in BASE_MODELS:
        st.caption(f"{BASE_MODELS[name].sentence} Licence: {BASE_MODELS[name].license}.")
        return {"base_model": name}
    if name == OTHER:
        typed = st.text_input(
            "Name on the Hugging Face hub, or a local folder",
            placeholder="google-bert/bert-base-multilingual-cased",
        ).strip()
        st.caption("It needs safetensors weights; code that comes with a model is never run.")
        return {"base_model": typed} if typed else None
    st.caption(
        "Goes on from its weights: quicker than anew, but it may keep what it learned from since corrected labels."
    )
    version = next(version for version in versions if str(version.number) == name)
    return {"base_model": version.base_model, "from_version": version.number}


# --- what ran ---------------------------------------------------------------------------------------


def _draw_chosen(page: Page, runs: tuple[Run, ...]) -> None:
    """The run of the address, else the one that is active, else the newest training run."""
    asked = st.query_params.get(RUN, "")
    by_id = {str(run.id): run for run in runs}
    candidates = [
        by_id.get(asked),
        *(run for run in reversed(runs) if run.state.active),
        *(run for run in runs if run.kind is RunKind.TRAIN),
        *runs,
    ]
    chosen = next((run for run in candidates if run is not None), None)
    if chosen is None:
        st.subheader("Runs")
        st.caption("Progress, curves and the log of a run are shown here, and stay.")
        return
    draw_run(page, chosen.id)
    draw_seeds(page, chosen)


def _draw_runs(page: Page, runs: tuple[Run, ...]) -> None:
    st.subheader("Runs")
    task = get_task(page.project.task)

    def says(run: Run) -> str:
        if run.kind is RunKind.TRAIN and run.result:
            measured = run.result.get("metrics", {}).get("validation", {}).get(task.primary_metric)
            return f"version {run.result['model_version']}, validation {score(measured, task.metric_scale)}"
        if run.error:
            return run.error
        return f"{run.result['examples']:,} examples" if run.result.get("examples") is not None else ""

    table = pd.DataFrame(
        {
            "Run": [run.id for run in runs],
            "What": [KINDS.get(run.kind, str(run.kind)) for run in runs],
            "State": [STATES[run.state][0] for run in runs],
            "Device": [run.result.get("device") or run.device for run in runs],
            "Queued": [run.created_at for run in runs],
            "Took": [_took(run) for run in runs],
            "Result": [says(run) for run in runs],
        }
    )
    event = draw_table(
        table,
        on_select="rerun",
        selection_mode="single-row",
        key=rows_key("train-runs", page.project, [run.id for run in runs]),
        column_config={
            "Run": st.column_config.NumberColumn(width="small"),
            "Queued": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "Result": st.column_config.TextColumn(width="large"),
        },
    )
    rows = event.selection.rows
    picked = str(runs[rows[0]].id) if rows and rows[0] < len(runs) else None
    if picked != st.session_state.get("train_picked"):
        st.session_state["train_picked"] = picked
        if picked is not None:
            st.query_params[RUN] = picked
            st.rerun()
    st.caption("Choose a row to look at its curves and log.")


def _took(run: Run) -> str:
    if run.started_at is None or run.finished_at is None:
        return "–"
    return duration((run.finished_at - run.started_at).total_seconds())
