"""A run that a page waits for: its progress, live, and a way to stop it."""

from __future__ import annotations

import streamlit as st

from workbench.domain import Run, RunKind, RunState
from workbench.ui.confirm import STOP_QUESTION, confirmed
from workbench.ui.page import Page
from workbench.ui.theme import duration

POLL_SECONDS = 1.0


def active_run(page: Page, kind: RunKind, **parameters: object) -> Run | None:
    """The newest queued or running run of a kind with these parameters, whoever started it, or None."""
    for run in page.workbench.runs.list(page.project, limit=20):
        if run.kind is kind and run.state.active and _matches(run, parameters):
            return run
    return None


def last_failure(page: Page, kind: RunKind, **parameters: object) -> Run | None:
    """The newest run of a kind with these parameters, if it failed; None if it did not, or there is none."""
    for run in page.workbench.runs.list(page.project, limit=20):
        if run.kind is kind and _matches(run, parameters):
            return run if run.state is RunState.FAILED else None
    return None


def watch(page: Page, run: Run, what: str) -> None:
    """Draw a run's progress until it ends, then run the whole page again.

    Args:
        page: The page.
        run: A run that is queued or running.
        what: What it does, such as "Scoring the pool with version 3".
    """

    def progress() -> None:
        with page.guarded():
            now = page.workbench.runs.get(run.id)
            if not now.state.active:
                st.rerun()
            st.progress(_share(now), text=f"{what}: {_said(page, now)}")
            if now.cancel_requested:
                st.caption("Stopping…")
            elif confirmed(
                "Stop", STOP_QUESTION, yes="Yes, stop it", key=f"stop_{run.id}", icon=":material/stop_circle:"
            ):
                page.workbench.runs.cancel(run.id)
                st.rerun()

    st.fragment(progress, run_every=POLL_SECONDS)()


def _matches(run: Run, parameters: dict[str, object]) -> bool:
    return all(run.parameters.get(name) == value for name, value in parameters.items())


def _share(run: Run) -> float:
    total = float(run.progress.get("total") or 0)
    return min(1.0, float(run.progress.get("done") or 0) / total) if total else 0.0


def _said(page: Page, run: Run) -> str:
    if run.state is RunState.QUEUED:
        ahead = page.workbench.runs.waits_for(run)
        return f"waits for run {ahead[0].id} ({ahead[0].kind})" if ahead else "starting"
    parts = []
    total = run.progress.get("total")
    if total:
        parts.append(f"{int(run.progress.get('done') or 0):,} of {int(total):,}")
    if run.progress.get("phase"):
        parts.append(str(run.progress["phase"]))
    left = run.progress.get("seconds_left")
    if isinstance(left, (int, float)):
        parts.append(f"about {duration(float(left))} left")
    return ", ".join(parts) or "working"
