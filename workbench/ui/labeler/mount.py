"""The component on a page: what it sent is stored before it is drawn, and again after, by ids that store once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from workbench.domain import Batch, Project, User
from workbench.errors import NotFound
from workbench.services import Workbench
from workbench.services.annotation_items import Receipt
from workbench.ui.labeler import bundle, exchange

PREFETCH = 16
"""Examples that the browser has ahead: at 30 ms a key, half a second's worth."""

PREFETCH_CHARACTERS = 60_000
"""Fewer of them where they are long."""

_component = st.components.v2.component(
    "workbench.labeler",
    html=bundle.markup(),
    css=bundle.styles(),
    js=bundle.script(),
    isolate_styles=True,
)

_wake = st.components.v2.component("workbench.wake", js=bundle.wake_script())


def draw_wake() -> None:
    """Let the labeler ask for a run of the whole page. Call it outside of the fragment.

    After a restart of the server the browser comes back to a session that has never run the page, and a report from
    within a fragment that this session does not know is dropped: answers would wait for ever.
    """
    _wake(key="workbench-wake", on_again_change=lambda: None, height=1)


def draw_labeler(
    workbench: Workbench, project: Project, user: User, batch: Batch | None, example: int | None = None
) -> None:
    """Draw the labeling screen of a batch, or of the pool in its order. Call it in a fragment.

    Args:
        workbench: The services.
        project: The project.
        user: Who labels; the caller has made sure that it is them, on this very rerun.
        batch: The batch, or None.
        example: Id of an example to open first, whatever the queue holds.
    """
    key = f"labeler-{exchange.space_of(project, user)}-{batch.number if batch else 'pool'}"
    store_outbox(workbench, project, user, key, st.session_state.get(key))
    before, after, _ = exchange.read_around(_part(st.session_state.get(key), "around"))
    around = (before, after)
    data = {
        **exchange.describe_project(project, user, batch),
        **_work(workbench, project, user, batch, key, around),
        **_answer(workbench, project, user, st.session_state.get(key), around),
        "linked": _linked(workbench, project, user, example, around),
    }
    result = _component(
        key=key,
        data=data,
        on_outbox_change=lambda: None,
        on_want_change=lambda: None,
        on_around_change=lambda: None,
    )
    if store_outbox(workbench, project, user, key, result):
        _run_again()


def _run_again() -> None:
    """This fragment again; or the page, where this is a run of the whole of it (a session's first one)."""
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:
        st.rerun()


def store_outbox(workbench: Workbench, project: Project, user: User, key: str, state: Any) -> bool:
    """Store what the browser holds and remember the receipts for it; whether there was anything new."""
    sent = exchange.read_outbox(_part(state, "outbox"))
    asked = exchange.read_questions(_part(state, "outbox"))
    kept: dict[str, Receipt] = st.session_state.get(f"{key}-receipts", {})
    new = [submission for submission in sent if submission.client_id not in kept]
    receipts = workbench.annotation.submit(project, user, new) if new else []
    questions = [question for question in asked if question.client_id not in kept]
    receipts += workbench.annotation.ask(project, user, questions)
    wanted = [submission.client_id for submission in sent] + [question.client_id for question in asked]
    st.session_state[f"{key}-receipts"] = exchange.keep_receipts(kept, receipts, wanted)
    return bool(new or questions)


def _work(
    workbench: Workbench,
    project: Project,
    user: User,
    batch: Batch | None,
    key: str,
    around: tuple[int, int],
) -> dict[str, Any]:
    batch_id = batch.id if batch else None
    queue = workbench.annotation.queue(project, user, batch_id, limit=PREFETCH, around=around)
    described = exchange.describe_queue(project, queue)
    room = PREFETCH_CHARACTERS
    fitting: list[dict[str, Any]] = []
    for item in described["queue"]:
        room -= len(item["text"]) + sum(map(len, (*item["around"]["before"], *item["around"]["after"])))
        if room < 0 and len(fitting) >= 3:
            break
        fitting.append(item)
    receipts: dict[str, Receipt] = st.session_state.get(f"{key}-receipts", {})
    return {
        **described,
        "queue": fitting,
        "receipts": [exchange.describe_receipt(project, receipt) for receipt in receipts.values()],
        "recent": exchange.describe_recent(workbench.annotation.recent(project, user)),
    }


def _answer(
    workbench: Workbench, project: Project, user: User, state: Any, around: tuple[int, int]
) -> dict[str, Any]:
    """What the browser asked for: an example to go back to, or a search."""
    request = exchange.read_request(_part(state, "want"))
    opened: dict[str, Any] | None = None
    found: dict[str, Any] | None = None
    if request is not None:
        turn, example_id, query = request
        if example_id is not None:
            opened = {"turn": turn, "item": _open(workbench, project, user, example_id, around)}
        elif query is not None:
            examples = workbench.annotation.search(project, query)
            found = {"turn": turn, "results": exchange.describe_found(examples)}
    return {"opened": opened, "found": found, "near": _near(workbench, project, _part(state, "around"))}


def _near(workbench: Workbench, project: Project, state: Any) -> dict[str, Any] | None:
    """What stands around the example whose surroundings were asked for last."""
    before, after, example_id = exchange.read_around(state)
    if example_id is None:
        return None
    try:
        around = workbench.annotation.around(project, example_id, before, after)
    except NotFound:
        return None
    return {"id": example_id, "around": exchange.describe_around(around)}


def _linked(
    workbench: Workbench, project: Project, user: User, example: int | None, around: tuple[int, int]
) -> dict[str, Any] | None:
    if example is None:
        return None
    return {"id": example, "item": _open(workbench, project, user, example, around)}


def _open(
    workbench: Workbench, project: Project, user: User, example_id: int, around: tuple[int, int]
) -> dict[str, Any] | None:
    try:
        return exchange.describe_item(project, workbench.annotation.item(project, user, example_id, around))
    except NotFound:
        return None


def _part(state: Any, name: str) -> Any:
    return state.get(name) if isinstance(state, Mapping) else None
