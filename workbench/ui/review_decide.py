"""Decide: everybody's version and the model's side by side; one of them, a mixture, or new labels count."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from workbench.domain import Payload, is_partial
from workbench.errors import NotFound
from workbench.services.agreement import marks
from workbench.services.review import Dossier, Waiting, mixture
from workbench.ui.data_preview import escaped
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.review_case import Mark, differing, draw_version
from workbench.ui.theme import count

EXAMPLE = "example"
"""Key of the opened example's id in the address."""

WORDS = {
    Waiting.DISPUTED: "People differ",
    Waiting.FLAGGED: "Flagged",
    Waiting.DECIDED: "Decided",
}


def draw_decide(page: Page) -> None:
    """Which example, and its dossier."""
    which = st.segmented_control(
        "Which", list(Waiting), default=Waiting.DISPUTED, format_func=WORDS.__getitem__, key="review-which"
    )
    ids = page.workbench.review.waiting(page.project, which or Waiting.DISPUTED)
    asked = st.query_params.get(EXAMPLE, "")
    opened = int(asked) if asked.isdecimal() and len(asked) < 19 else None
    if opened is None:
        if not ids:
            st.success("Nothing waits here.", icon=":material/check_circle:")
            return
        opened = ids[0]
    try:
        dossier = page.workbench.review.dossier(page.project, opened)
    except NotFound as error:
        st.query_params.pop(EXAMPLE, None)
        st.error(str(error), icon=":material/error:")
        return
    _draw_place(ids, opened)
    _draw_dossier(page, dossier)


def _draw_place(ids: Sequence[int], opened: int) -> None:
    place = ids.index(opened) if opened in ids else None
    left, back, forth = st.columns([4, 1, 1], vertical_alignment="center")
    said = count(len(ids), "example")
    left.markdown(f"**{said}**" if place is None else f"**{place + 1:,} of {said}**")
    before = ids[place - 1] if place else None
    after = (
        ids[0]
        if place is None and ids
        else ids[place + 1]
        if place is not None and place + 1 < len(ids)
        else None
    )
    back.button(
        "Previous",
        icon=":material/chevron_left:",
        disabled=before is None,
        on_click=_open,
        args=(before,),
        width="stretch",
    )
    forth.button(
        "Next",
        icon=":material/chevron_right:",
        disabled=after is None,
        on_click=_open,
        args=(after,),
        width="stretch",
    )


def _open(example_id: int | None) -> None:
    if example_id is None:
        st.query_params.pop(EXAMPLE, None)
    else:
        st.query_params[EXAMPLE] = str(example_id)


def _draw_dossier(page: Page, dossier: Dossier) -> None:
    versions = _versions(dossier)
    payloads = [payload for _, payload in versions]
    example = dossier.case.example
    with st.container(border=True):
        head, link = st.columns([4, 1], vertical_alignment="center")
        head.caption(escaped(example.external_id))
        with link:
            link_to("label", "Label anew", page.project, icon=":material/edit_note:", example=str(example.id))
        for name, payload in versions:
            annotation = dossier.case.said.get(name)
            text, action = st.columns([6, 1], vertical_alignment="center")
            with text:
                draw_version(page, dossier.case, name, payload, differing(payload, payloads), annotation)
            counts = dossier.gold is not None and annotation is not None and dossier.gold.id == annotation.id
            if counts:
                action.badge("counts", icon=":material/check:", color="green")
            elif action.button(
                "Accept", key=f"accept-{example.id}-{name}", icon=":material/check:", width="stretch"
            ):
                _accept(page, dossier, name, payload)
        for flag in dossier.flags:
            st.caption(f":material/flag: {escaped(flag.author)}: {escaped(flag.comment or 'flagged')}")
    _draw_counting(page, dossier)
    left, right = st.columns(2, gap="large")
    with left:
        _draw_mixture(page, dossier, payloads)
    with right:
        _draw_remark(page, dossier)


MODEL = "the model"


def _versions(dossier: Dossier) -> list[tuple[str, Payload]]:
    """Whose, and what they say: people by name, then the model."""
    found = [(name, one.payload) for name, one in dossier.case.said.items() if one.payload is not None]
    if dossier.suggestion is not None:
        found.append((MODEL, dossier.suggestion.prediction.payload))
    return found


def _draw_counting(page: Page, dossier: Dossier) -> None:
    if dossier.decided_by is None:
        return
    left, right = st.columns([5, 2], vertical_alignment="center")
    left.markdown(
        f":material/gavel: Decided by **{escaped(dossier.decided_by)}**; it stays whatever people say later."
    )
    if right.button("Take that back", icon=":material/undo:", width="stretch"):
        _done(
            page,
            lambda: page.workbench.review.reopen(page.project, page.user, dossier.case.example.id),
            stay=True,
        )


def _accept(page: Page, dossier: Dossier, name: str, payload: Payload) -> None:
    annotation = dossier.case.said.get(name)
    if annotation is not None:
        _done(page, lambda: page.workbench.review.accept(page.project, page.user, annotation.id))
    else:
        _done(
            page,
            lambda: page.workbench.review.rewrite(page.project, page.user, dossier.case.example.id, payload),
        )


def _draw_mixture(page: Page, dossier: Dossier, payloads: Sequence[Payload]) -> None:
    st.subheader("Mix", anchor=False)
    choices = sorted({mark for payload in payloads for mark in choosable(payload)})
    if not choices:
        st.caption("Nobody has set anything here.")
        return
    votes = {mark: sum(mark in choosable(payload) for payload in payloads) for mark in choices}
    with st.form(f"mix-{dossier.case.example.id}", border=True):
        chosen = st.pills(
            "What counts",
            choices,
            selection_mode="multi",
            default=[mark for mark in choices if votes[mark] == len(payloads)],
            format_func=lambda mark: _mark_words(dossier, mark, votes[mark]),
            help="Chosen already is what all of them set; the number says how many did.",
        )
        said = [one.payload for one in dossier.case.said.values()]
        partial = page.project.task == "ner" and st.checkbox(
            "Only these spans are judged",
            value=bool(said) and all(map(is_partial, said)),
            help="What stands outside of them is not known: it teaches no model, and nothing is measured on it.",
        )
        saved = st.form_submit_button("Accept this mixture", icon=":material/merge:")
    if saved:
        with page.guarded():
            mixed = mixture(page.project, dossier, chosen, partial=partial)
            _done(
                page,
                lambda: page.workbench.review.rewrite(
                    page.project, page.user, dossier.case.example.id, mixed
                ),
            )


def choosable(payload: Payload) -> list[Mark]:
    """The single labels that a mixture can be made of: spans, tags, answers."""
    answers = getattr(payload, "answers", ())
    return marks(payload) + [(one.start, one.end, "") for one in answers]


def _mark_words(dossier: Dossier, mark: Mark, votes: int) -> str:
    content = dossier.case.example.content
    first, last, label = mark
    if first == last and label and content.tokens:
        first, last = content.tokens[first][0], content.tokens[first][1]
    text = " ".join(content.text[first:last].split())
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return f"{escaped(short)}{f' · {escaped(label)}' if label else ''} ({votes})"


def _draw_remark(page: Page, dossier: Dossier) -> None:
    st.subheader("Say something to them", anchor=False)
    for remark in dossier.remarks:
        read = "read" if remark.seen else "not read yet"
        st.caption(f"{escaped(remark.author)} to {escaped(remark.to)} ({read}): {escaped(remark.text)}")
    people = {name: one for name, one in dossier.case.said.items() if one.author_id != page.user.id}
    if not people:
        st.caption("Nobody else has labeled it.")
        return
    with st.form(f"remark-{dossier.case.example.id}", border=True, clear_on_submit=True):
        name = st.selectbox("To", list(people))
        text = st.text_area(
            "Remark", max_chars=2_000, placeholder="They see it on the Label page.", height=90
        )
        sent = st.form_submit_button("Send", icon=":material/send:")
    if sent and name:
        _done(
            page,
            lambda: page.workbench.review.remark(page.project, page.user, people[name].id, text),
            stay=True,
        )


def _done(page: Page, work: Callable[[], object], *, stay: bool = False) -> None:
    with page.guarded():
        work()
        if not stay:
            _open(None)
        st.rerun()
