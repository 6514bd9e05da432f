"""How the work is shared out: how many label an example, when they agree, who labels without help."""

from __future__ import annotations

import streamlit as st

from workbench.domain import Sharing
from workbench.services.sharing import MOST_PEOPLE
from workbench.ui.page import Page
from workbench.ui.theme import count


def draw_sharing(page: Page) -> None:
    """What holds now, how far it is, and the form that changes it."""
    now = page.project.sharing
    st.markdown(f"**Now:** {in_words(now)}")
    if not now.alone:
        _draw_progress(page)
    with st.form("sharing", border=True):
        left, right = st.columns(2, gap="large")
        people = left.number_input(
            "People for each example of the share",
            1,
            MOST_PEOPLE,
            now.people,
            help="1: everybody labels other examples.",
        )
        share = left.slider(
            "Share of the examples that so many label, percent",
            0,
            100,
            round(now.share * 100),
            5,
            help="Drawn by lot; the others are labeled by one person each.",
        )
        agree = right.number_input(
            "So many must give the very same labels before they count",
            1,
            MOST_PEOPLE,
            min(now.agree, MOST_PEOPLE),
            help="Until then an example waits for a reviewer. With 1 the newest labels count.",
        )
        blind = right.slider(
            "Without a suggestion, percent",
            0,
            100,
            round(now.blind * 100),
            5,
            help="Examples in which a person is not shown what the model suggests, drawn for each person anew: how "
            "much suggestions pull can be seen from these.",
        )
        documents = left.toggle(
            "People stay in a document",
            now.documents,
            help="Whoever has labeled in a document is given the rest of it before anything else, so that they need "
            "not read their way into another.",
        )
        saved = st.form_submit_button("Share it out this way", type="primary", icon=":material/share:")
    if saved:
        with page.guarded():
            people = int(people)
            wanted = Sharing(people, share / 100, min(int(agree), max(people, 1)), blind / 100, documents)
            page.workbench.sharing.set(page.project, wanted)
            st.rerun()


def in_words(sharing: Sharing) -> str:
    """What holds, in sentences."""
    if sharing.alone:
        said = "every example is labeled by one person."
    else:
        which = "every example" if sharing.share >= 1 else f"{sharing.share:.0%} of the examples, by lot,"
        rest = "" if sharing.share >= 1 else ", the others by one"
        rule = (
            "the newest labels count."
            if sharing.agree == 1
            else f"labels count when {sharing.agree} people give the very same, or when a reviewer has decided."
        )
        said = f"{which} {'is' if sharing.share >= 1 else 'are'} labeled by {sharing.people} people{rest}; {rule}"
    if sharing.blind:
        said += f" {sharing.blind:.0%} of the examples are labeled without a suggestion."
    if sharing.documents:
        said += " People stay in a document."
    return said[:1].upper() + said[1:]


def _draw_progress(page: Page) -> None:
    done = page.workbench.sharing.progress(page.project)
    with st.container(horizontal=True, gap="large"):
        st.metric("Begun", f"{done.begun:,}", help="Labeled by somebody.", width="content")
        st.metric("Labeled by all", f"{done.full:,}", help="By as many people as shall.", width="content")
        st.metric("Agreed", f"{done.agreed:,}", help="With labels that count.", width="content")
        st.metric(
            "For a reviewer",
            f"{done.disputed:,}",
            help=f"{count(done.disputed, 'example')} labeled by all, without labels that count.",
            width="content",
        )
