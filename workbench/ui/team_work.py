"""A person's work withdrawn or given to others: what it would do first, then the question, then the deed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time

import streamlit as st

from workbench.domain import WorkChange
from workbench.domain.workchanges import DOING, DONE, UNDOING, UNDONE, WITHDRAW
from workbench.errors import WorkbenchError
from workbench.services.withdrawing import UndoPreview, WithdrawalPreview
from workbench.ui.data_preview import escaped
from workbench.ui.page import Page
from workbench.ui.theme import count

EVERY, EVERYBODY = "All of it", "Everybody"
ASKED = "team-work-asked"
"""What the person is asked to confirm, and in which project: people and changes are named alike in others."""

SAID = "team-work-said"
"""What the last deed came to, shown after the page is drawn anew."""


def draw_work(page: Page) -> None:
    """The form, and what was done before."""
    if said := st.session_state.pop(SAID, None):
        st.success(said, icon=":material/done:")
    people = page.workbench.work_changes.authors(page.project)
    if people:
        _draw_choice(page, people)
    else:
        st.info("Nobody has labeled anything in this project yet.", icon=":material/person_off:")
    _draw_history(page)


# --- what to do -----------------------------------------------------------------------------------------


def _draw_choice(page: Page, people: tuple[str, ...]) -> None:
    left, middle, right = st.columns(3)
    person = left.selectbox("Whose work", people, key="work-person")
    numbers = [batch.number for batch in page.workbench.selection.batches(page.project)]
    batch = middle.selectbox(
        "Of which batch",
        [None, *numbers],
        format_func=lambda one: EVERY if one is None else f"Batch {one}",
        key="work-batch",
    )
    day = right.date_input(
        "Labeled since (UTC)",
        None,
        key="work-since",
        help="Of an example that they have labeled before that day and after, nothing of theirs counts then.",
    )
    since = datetime.combine(day, time(), UTC) if day is not None else None
    decided = st.checkbox(
        "Also what a reviewer has decided on",
        key="work-decided",
        help="Else labels of theirs that a reviewer has accepted go on counting: they are the reviewer's word.",
    )
    left, right = st.columns(2, gap="large")
    with left:
        _draw_withdraw(page, person, batch, since, decided)
    with right:
        _draw_reassign(page, person, people, batch)


def _draw_withdraw(page: Page, person: str, batch: int | None, since: datetime | None, decided: bool) -> None:
    st.subheader("Withdraw", anchor=False)
    st.markdown(
        "What they have labeled counts no more: not as gold, not for what models learn next, not in figures of "
        "agreement or exports. The examples wait to be labeled again. Their versions stay in the history."
    )
    with page.guarded():
        found = page.workbench.work_changes.withdraw_preview(
            page.project, person, batch=batch, since=since, decided=decided
        )
        for line in _withdraw_words(found, decided):
            st.markdown(f"- {line}")
        if _asked(
            f"Withdraw {count(found.examples, 'annotation')}…",
            "work-withdraw",
            ":material/undo:",
            (page.project.id, "withdraw", person, batch, since, decided),
            disabled=not found.examples,
        ):
            _ask(
                f"Withdraw {count(found.examples, 'annotation')} by {person}?",
                [],
                lambda note, bar: page.workbench.work_changes.withdraw(
                    page.project, person, batch=batch, since=since, decided=decided, note=note, watch=bar
                ),
                f"{count(found.examples, 'annotation')} by {escaped(person)} are withdrawn; undo it below.",
            )


def _withdraw_words(found: WithdrawalPreview, decided: bool) -> list[str]:
    if not found.examples:
        return ["nothing of theirs counts there"]
    kinds = [
        f"{number:,} {word}"
        for number, word in (
            (found.accepted, "with labels"),
            (found.skipped, "skipped"),
            (found.flagged, "flagged"),
        )
        if number
    ]
    lines = [f"**{count(found.examples, 'annotation')}**: {', '.join(kinds)}"]
    if found.gold:
        verb = "loses" if found.gold == 1 else "lose"
        what = count(found.gold, "example")
        lines.append(f"**{what}** {verb} the labels that count now, unless others have labeled them too")
    if found.decided and not decided:
        lines.append(f"{found.decided:,} that a reviewer has decided on go on counting")
    if found.versions:
        names = ", ".join(str(number) for number in found.versions)
        word = "version" if len(found.versions) == 1 else "versions"
        lines.append(f"model {word} {names} learned from some of them, and stay as they are")
    return lines


def _draw_reassign(page: Page, person: str, people: tuple[str, ...], batch: int | None) -> None:
    st.subheader("Reassign", anchor=False)
    st.markdown(
        "What they hold and have not labeled yet goes to somebody else, or is next for whoever asks. "
        "It stays the other's for a day, then it is everybody's."
    )
    known = [
        one.user.name for one in page.workbench.members.roles(page.project) if one.user.active and one.role
    ]
    others = [name for name in dict.fromkeys([*known, *people]) if name not in (person, "simulated")]
    to = st.selectbox("To", [EVERYBODY, *others], key="work-to")
    receiver = None if to == EVERYBODY else to
    with page.guarded():
        found = page.workbench.work_changes.reassign_preview(page.project, person, to=receiver, batch=batch)
        lines = [f"**{count(found.held, 'example')}** they hold now"]
        if receiver is not None and found.held > found.given:
            has = f"{found.held - found.given:,} of them {escaped(to)} has or holds already"
            lines.append(f"{has}: for everybody")
        for line in lines:
            st.markdown(f"- {line}")
        if _asked(
            f"Reassign {count(found.held, 'example')}…",
            "work-reassign",
            ":material/move_up:",
            (page.project.id, "reassign", person, batch, to),
            disabled=not found.held,
        ):
            _ask(
                f"Give what {person} holds to {to.lower() if receiver is None else to}?",
                [],
                lambda note, bar: page.workbench.work_changes.reassign(
                    page.project, person, to=receiver, batch=batch, note=note
                ),
                f"{count(found.held, 'example')} that {escaped(person)} held are reassigned; undo it below.",
            )


# --- what was done --------------------------------------------------------------------------------------


def _draw_history(page: Page) -> None:
    changes = page.workbench.work_changes.history(page.project)
    if not changes:
        return
    st.subheader("Done before", anchor=False)
    for change in changes:
        with st.container(border=True):
            told, action = st.columns([6, 1], vertical_alignment="center")
            told.markdown(_told(change))
            with action:
                asked = change.state != UNDONE and _asked(
                    "Undo…",
                    f"undo-{change.number}",
                    ":material/undo:",
                    (page.project.id, "undo", change.number),
                )
                going_on = change.state in (DOING, UNDOING) and st.button(
                    "Go on", key=f"go-on-{change.number}", icon=":material/play_arrow:"
                )
            if asked:
                _ask_undo(page, change)
            if going_on:
                _go_on(page, change)


def _go_on(page: Page, change: WorkChange) -> None:
    _do(
        lambda bar: page.workbench.work_changes.go_on(page.project, change.number, watch=bar),
        f"Change {change.number} is complete.",
    )


def _ask_undo(page: Page, change: WorkChange) -> None:
    with page.guarded():
        found = page.workbench.work_changes.undo_preview(page.project, change.number)
        _ask(
            f"Undo change {change.number}?",
            undo_words(change, found),
            lambda note, bar: page.workbench.work_changes.undo(page.project, change.number, watch=bar),
            f"Change {change.number} is undone: {'; '.join(undo_words(change, found))}.",
            reason=False,
        )


def undo_words(change: WorkChange, found: UndoPreview) -> list[str]:
    """What undoing puts back and what it leaves."""
    what = "annotation" if change.kind == WITHDRAW else "example"
    verb = "count again as before" if change.kind == WITHDRAW else "are theirs again"
    lines = [f"{count(found.back, what)} {verb}"]
    for number, why in (
        (found.again, "they have labeled again since"),
        (found.others, "others have labeled since, or hold"),
        (found.unfit, "don't fit the label set any more"),
    ):
        if number:
            lines.append(f"{number:,} {why}: left as they are")
    return lines


def _told(change: WorkChange) -> str:
    scope = change.scope
    part = f" of batch {scope['batch']}" if scope.get("batch") is not None else ""
    if change.kind == WITHDRAW:
        since = f" since {scope['since'][:10]}" if scope.get("since") else ""
        done = change.effect.get("annotations", 0)
        what = f"**{change.number}** · {count(done, 'annotation')} by {escaped(change.person)}{part}{since} withdrawn"
    else:
        moved = change.effect.get("given", 0) + change.effect.get("freed", 0)
        to = escaped(scope["to"]) if scope.get("to") else "everybody"
        what = (
            f"**{change.number}** · {count(moved, 'example')} of {escaped(change.person)}{part} given to {to}"
        )
    parts = [what, f"{escaped(change.by or 'command line')}, {change.created_at:%Y-%m-%d %H:%M} UTC"]
    if change.note:
        parts.append(f"“{escaped(change.note)}”")
    parts.append(
        {
            DOING: ":material/warning: interrupted",
            DONE: "",
            UNDOING: ":material/warning: its undoing was interrupted",
            UNDONE: f"undone {change.undone_at:%Y-%m-%d %H:%M}" if change.undone_at else "undone",
        }[change.state]
    )
    return " · ".join(part for part in parts if part)


# --- ask, do --------------------------------------------------------------------------------------------

Bar = Callable[[int, int], None]


def _asked(label: str, key: str, icon: str, about: tuple[object, ...], *, disabled: bool = False) -> bool:
    """Whether the button was pressed and nothing has been chosen otherwise since."""
    if st.button(label, key=key, icon=icon, disabled=disabled):
        st.session_state[ASKED] = about
    return not disabled and st.session_state.get(ASKED) == about


def _ask(
    question: str, lines: list[str], deed: Callable[[str, Bar], object], done: str, *, reason: bool = True
) -> None:
    with st.container(border=True):
        st.markdown(f"**{escaped(question)}**")
        for line in lines:
            st.markdown(f"- {line}")
        note = st.text_input("Why (kept with it)", max_chars=500, key="work-note") if reason else ""
        yes, no = st.columns(2)
        if yes.button("Yes, do it", type="primary", width="stretch", key="work-yes"):
            _do(lambda bar: deed(note, bar), done)
        if no.button("Leave it", width="stretch", key="work-no"):
            st.session_state.pop(ASKED, None)
            st.rerun()


def _do(deed: Callable[[Bar], object], done: str) -> None:
    shown = st.progress(0.0, text="Working…")

    def bar(number: int, total: int) -> None:
        shown.progress(number / max(total, 1), text=f"{number:,} of {total:,}")

    try:
        deed(bar)
    except WorkbenchError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state[SAID] = done
    st.session_state.pop(ASKED, None)
    st.rerun()
