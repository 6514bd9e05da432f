"""The loop, drawn: its steps, how far each is, and the one to take next."""

from __future__ import annotations

from html import escape

import streamlit as st

from workbench.services.overview import NextStep, Overview, Stage
from workbench.tasks import get_task
from workbench.ui.navigation import PLACES, go_to, link_to
from workbench.ui.theme import count, score

STEPS: tuple[tuple[Stage, str], ...] = (
    (Stage.DATA, "Bring text in"),
    (Stage.SELECT, "Choose what to label"),
    (Stage.LABEL, "Label it"),
    (Stage.TRAIN, "Make a version"),
    (Stage.COMPARE, "See if it is better"),
)


STYLE = """
.st-key-loop {{ display: grid !important; grid-template-columns: repeat(auto-fit, minmax(124px, 1fr)); gap: .8rem }}
.st-key-loop > * {{ width: auto !important; height: 100% }}
.st-key-loop [data-testid="stPageLink-NavLink"] {{ padding-inline: 0; gap: .25rem }}
.st-key-step_{next} {{ border: 2px solid var(--st-primary-color, #0b6e6e) !important }}
"""


def draw_next_step(now: Overview, step: NextStep) -> None:
    """One sentence and one button: what to do next."""
    with st.container(
        border=True,
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        key="next_step",
    ):
        st.markdown(f"**Next.** {step.reason}", width="content")
        if st.button(step.action, icon=":material/arrow_forward:", type="primary", key="take_next_step"):
            go_to(step.stage.value, now.project)


def draw_loop(now: Overview, step: NextStep) -> None:
    """The five steps side by side, the next one framed; below them whether it pays, and the way out: export."""
    st.html(f"<style>{STYLE.format(next=step.stage.value)}</style>")
    with st.container(key="loop"):
        for number, (stage, sentence) in enumerate(STEPS, 1):
            with st.container(border=True, height="stretch", gap="xsmall", key=f"step_{stage.value}"):
                link_to(stage.value, f"{number}. {PLACES[stage.value].title}", now.project)
                following = stage is step.stage
                st.caption(f"**Next:** {sentence.lower()}" if following else sentence)
                st.html(f'<div style="font-size:.95rem">{escape(_state(stage, now))}</div>')
    if now.best is not None:
        with st.container(horizontal=True):
            link_to("progress", "Is labeling paying?", now.project)
            link_to("export", f"Export version {now.best.number} for use elsewhere", now.project)


def _state(stage: Stage, now: Overview) -> str:
    """How far one step is, in a few words."""
    running = sum(run.kind == "train" for run in now.active)
    words = {
        Stage.DATA: count(now.examples, "example"),
        Stage.SELECT: f"{count(len(now.batches), 'batch', 'batches')}, {now.unlabeled_pool:,} unlabeled in the pool",
        Stage.LABEL: f"{now.labeled:,} labeled, {now.waiting:,} waiting",
        Stage.TRAIN: count(len(now.versions), "version") + (f", {running} in training" if running else ""),
        Stage.COMPARE: _best(now),
    }
    return words[stage]


def _best(now: Overview) -> str:
    best = now.best
    if best is None:
        return "nothing to compare yet"
    value, measured_on = now.score(best)
    return f"best: version {best.number}, {score(value, get_task(now.project.task).metric_scale)} on {measured_on}"
