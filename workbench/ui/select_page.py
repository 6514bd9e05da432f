"""The Select page: what to label next, and why."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from workbench.acquisition import Strategy
from workbench.domain import Batch, ModelVersion, RunKind
from workbench.services.picking import Selection
from workbench.ui import charts
from workbench.ui.cards import bar
from workbench.ui.confirm import confirmed
from workbench.ui.glossary import explain
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.select_narrow import narrow
from workbench.ui.tables import draw_table
from workbench.ui.text_view import labeled_text, said_below, verbatim
from workbench.ui.theme import count, duration
from workbench.ui.waiting import active_run, last_failure, watch

BUDGETS = {"examples": ("examples", 1, 50), "words": ("words", 1, 1_000), "minutes": ("seconds", 60, 30)}
"""Of each unit that the page offers: the unit that is stored, how many of it, and a usual size."""

DEFAULT = "minilm"
"""The base model that reads a pool for which there is no model version yet."""

DRAWN = 20
"""Picks that are drawn with their labels; the table has all of them."""


@st.cache_data(ttl=60, show_spinner=False, max_entries=50)  # type: ignore[untyped-decorator]
def _pool_left(_page: Page, stamp: tuple[object, ...]) -> int:
    """How many examples may be selected; counted again when an import or a batch changes the stamp."""
    return _page.workbench.selection.candidates(_page.project)


def _choose(page: Page) -> tuple[Strategy, ModelVersion | None]:
    strategies = {strategy.name: strategy for strategy in page.workbench.selection.strategies(page.project)}
    versions = [version for version in page.workbench.models.list(page.project) if version.usable]
    first = "random" if not versions else next(iter(strategies))
    name = st.selectbox(
        "Strategy",
        list(strategies),
        index=list(strategies).index(first),
        format_func=lambda key: strategies[key].title,
        help=explain("strategy", "mnlp", "margin", "entropy", "bald"),
    )
    strategy = strategies[name]
    st.markdown(strategy.sentence)
    with st.expander("Formula and source", icon=":material/function:"):
        st.html(verbatim(f"score = {strategy.formula}"))
        st.caption(f"The score runs from {strategy.bounds}; higher is asked first. Cost: {strategy.cost}.")
        st.caption(f"Source: {strategy.paper}.")
    version = None
    if (strategy.needs_model or strategy.reads) and versions:
        version = st.selectbox(
            "Model version",
            versions[::-1],
            format_func=lambda item: f"Version {item.number} · {item.base_model}",
            help="Whose view of the pool decides.",
        )
    return strategy, version


def _chance(strategy: Strategy) -> tuple[float, float]:
    """The share drawn by lot and the strength of the noise."""
    if not strategy.needs_model and not strategy.reads:
        return 0.0, 0.0
    percent = st.slider(
        "Drawn by lot, percent",
        0,
        50,
        0,
        5,
        help="Mixes in examples of the whole pool that no model chose. How well the model does on them says how good "
        "it is on the pool: examples that it was unsure of make it look worse than it is.",
    )
    varied = strategy.scores_examples and st.toggle(
        "Vary the batch",
        help="Draws examples with chances as their scores, in place of the highest scores alone, so that a large "
        "batch holds fewer of one kind.",
    )
    return float(percent) / 100, 1.0 if varied else 0.0


def _score_pool(page: Page, strategy: Strategy, version: ModelVersion) -> bool:
    """Offer to score what the version has not scored; whether there is anything to choose from."""
    selection, number = page.workbench.selection, version.number
    run = active_run(page, RunKind.SCORE, model_version=number)
    if run is not None:
        watch(page, run, f"Scoring the pool with version {number}")
        return False
    coverage = selection.coverage(page.project, strategy.name, number)
    failed = last_failure(page, RunKind.SCORE, model_version=number)
    if failed is not None:
        st.error(f"The last scoring failed: {failed.error}", icon=":material/error:")
    if not coverage.unscored:
        return True
    if coverage.scored:
        st.warning(
            f"Version {number} has not scored {count(coverage.unscored, 'example')} of the pool yet; "
            "they are left out until it has.",
            icon=":material/pending:",
        )
        words = "Score the rest"
    else:
        st.info(
            f"Version {number} has not read the pool yet. One pass over "
            f"{count(coverage.unscored, 'example')} gives the scores of every strategy, and the suggestions.",
            icon=":material/query_stats:",
        )
        words = "Score the pool"
    if st.button(words, icon=":material/bolt:", type="secondary" if coverage.scored else "primary"):
        page.workbench.scoring.launch(page.project, number, user_id=page.user.id)
        st.rerun()
    return coverage.scored > 0


def _read_pool(page: Page) -> bool:
    """Offer to have the base model read the pool; whether there is anything to choose from."""
    run = active_run(page, RunKind.EMBED)
    if run is not None:
        watch(page, run, "Reading the pool")
        return False
    failed = last_failure(page, RunKind.EMBED)
    if failed is not None:
        st.error(f"The last reading failed: {failed.error}", icon=":material/error:")
    found = page.workbench.selection.embedded(page.project)
    if found.examples >= found.unlabeled:
        return True
    st.info(
        f"There is no model version yet, but this strategy does with what the texts are like. The base model has read "
        f"{count(found.examples, 'example')}, and {count(found.unlabeled, 'unlabeled one is', 'unlabeled ones are')} "
        "in the pool.",
        icon=":material/query_stats:",
    )
    if st.button("Read the pool", icon=":material/bolt:", type="secondary" if found.examples else "primary"):
        page.workbench.scoring.embed(page.project, found.base_model or DEFAULT, user_id=page.user.id)
        st.rerun()
    return found.examples > 0


def _draw_picks(page: Page, selection: Selection, scored: bool) -> None:
    """One block of HTML: an element of Streamlit's own for each of its parts took the browser a third of a second."""
    cells = []
    for pick, (example, prediction) in zip(
        selection.picks, page.workbench.selection.shown(page.project, selection, DRAWN), strict=False
    ):
        if pick.reason.get("audit"):
            head = "by lot"
        else:
            number = f"no. {pick.reason['rank']:,}"
            head = f"<b style='font-size:1rem'>{pick.score:.3f}</b><br>{number}" if scored else number
        text = labeled_text(
            example.content, prediction.payload if prediction else None, page.project.labels, limit=400
        )
        why = (
            f"<div style='font-size:.875rem'>{escape(pick.reason['why'])}</div>"
            if pick.reason.get("why")
            else ""
        )
        cells.append(f"<div style='font-size:.875rem;white-space:nowrap'>{head}</div><div>{text}{why}</div>")
    style = "display:grid;grid-template-columns:auto 1fr;gap:1rem 1.25rem;align-items:center"
    st.html(f"<div style='{style}'>{''.join(cells)}</div>")
    if len(selection.picks) > DRAWN:
        st.caption(f"… and {len(selection.picks) - DRAWN:,} more; the table has all of them.")


def _draw_table(selection: Selection, scored: bool) -> None:
    frame = pd.DataFrame(
        [
            {
                "rank": pick.reason["rank"],
                "score": None if pick.reason.get("audit") else pick.score,
                "by lot": bool(pick.reason.get("audit")),
                "text": pick.question or pick.text,
                "words": pick.words,
                "document": pick.document,
                "id": pick.external_id,
                "why": pick.reason.get("why"),
            }
            for pick in selection.picks
        ]
    )
    if not scored:
        frame = frame.drop(columns="score")
    if not selection.audit_share:
        frame = frame.drop(columns="by lot")
    if frame["why"].isna().all():
        frame = frame.drop(columns="why")
    draw_table(
        frame,
        column_config={
            "rank": st.column_config.NumberColumn("Rank", format="localized", width="small"),
            "score": st.column_config.NumberColumn("Score", format="%.3f", width="small"),
            "by lot": st.column_config.CheckboxColumn("By lot", width="small"),
            "text": st.column_config.TextColumn("Text", width="large"),
            "words": st.column_config.NumberColumn("Words", format="localized", width="small"),
            "document": "Document",
            "id": "Id",
            "why": st.column_config.TextColumn("Why", width="large"),
        },
    )


def _draw_preview(page: Page, selection: Selection, strategy: Strategy) -> None:
    if not selection.picks:
        st.info("Nothing of the pool is left to select under these filters.", icon=":material/inbox:")
        return
    notes = [
        f"{count(len(selection.picks), 'example')}, {count(selection.words, 'word')}, "
        f"about {duration(selection.seconds)} of labeling"
    ]
    if selection.duplicates:
        notes.append(f"{count(selection.duplicates, 'near-duplicate')} left out")
    if selection.short:
        notes.append("the pool has no more to give")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(" · ".join(notes), help=selection.cost.sentence, width="content")
        made = st.button(
            f"Create a batch of {count(len(selection.picks), 'example')}",
            type="primary",
            icon=":material/playlist_add:",
        )
    if made:
        batch, picks = page.workbench.selection.create(page.project, selection, page.user.id)
        st.session_state["select_made"] = (batch.number, len(picks))
        st.rerun()
    told = strategy.needs_model or bool(strategy.reads)
    pictured = strategy.scores_examples and selection.model_version is not None
    names = ["Preview", "Table", "Scores"] if pictured else ["Preview", "Table"]
    tabs = st.tabs(names, key="select_view", on_change="rerun")  # what is not looked at is not drawn
    with tabs[0]:
        if tabs[0].open:
            _draw_picks(page, selection, told)
    with tabs[1]:
        if tabs[1].open:
            _draw_table(selection, told)
    if pictured and selection.model_version is not None and tabs[2].open:
        with tabs[2]:
            scores = page.workbench.selection.scores(page.project, strategy.name, selection.model_version)
            chosen = [pick.score for pick in selection.picks if not pick.reason.get("audit")]
            st.altair_chart(charts.score_histogram(scores, chosen, strategy.title), width="stretch")
            st.caption(f"Scores of the pool by version {selection.model_version}.")


def _draw_batch(page: Page, batch: Batch) -> None:
    # A dozen of these may be drawn at once, and each element more in one is a dozen more for the browser to build.
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", key=f"row-batch-{batch.number}"
    ):
        st.html(_said_of(batch))
        if batch.done >= batch.items:
            st.markdown(":material/check_circle: Done", width="content")
            return
        link_to("label", "Label it", page.project, batch=str(batch.number))
        # Not how many: of what several people label, some wait for a second one and stay.
        released = confirmed(
            "",
            "Give the examples that nobody has labeled back to the pool, so that they may be selected anew? "
            "Nobody is asked for them then.",
            yes="Give back",
            key=f"release_{batch.number}",
            icon=":material/undo:",
            help=f"Give back what nobody has labeled of batch {batch.number}",
        )
        if released:
            page.workbench.selection.release(page.project, batch.number, page.user.id)
            st.rerun()


def _said_of(batch: Batch) -> str:
    """HTML: the batch's name and time, and how much of it is labeled."""
    model = f" · version {batch.model_version}" if batch.model_version else ""
    share = batch.done / batch.items if batch.items else 1.0
    return (
        f'<div class="workbench-batch"><div><b>Batch {batch.number}</b> · {escape(batch.strategy)}{model}'
        f"{said_below([f'{batch.created_at:%Y-%m-%d %H:%M}'])}</div>"
        f"<div>{batch.done:,} of {count(batch.items, 'example')} labeled{bar(share)}</div></div>"
    )


def _draw_batches(page: Page, batches: Sequence[Batch]) -> None:
    st.subheader("Batches")
    if not batches:
        st.caption("None yet. A batch is what annotators find in their queue on the Label page.")
    waiting = [batch for batch in batches if batch.done < batch.items]
    for batch in waiting:
        _draw_batch(page, batch)
    finished = [batch for batch in batches if batch.done >= batch.items]
    if finished:
        words = count(len(finished), "finished batch", "finished batches")
        shown = st.expander(words, key="finished-batches", on_change="rerun")
        with shown:
            for batch in finished if shown.open else ():
                _draw_batch(page, batch)


def _draw_selection(page: Page) -> None:
    form, result = st.columns([2, 3], gap="large")
    with form:
        strategy, version = _choose(page)
        unit = st.segmented_control(
            "Budget in",
            list(BUDGETS),
            default="examples",
            required=True,
            width="stretch",
            help="Words are what an annotator reads: a budget in words treats long and short examples alike. "
            "Minutes are predicted from the seconds that answers took so far.",
        )
        stored, factor, usual = BUDGETS[unit or "examples"]
        size = factor * st.number_input(
            f"Size, in {unit}", min_value=1, value=usual, step=10, key=f"size_{unit}"
        )
        audit_share, noise = _chance(strategy)
        narrowed = narrow(page.project, asks_labels=version is not None)
    with result, page.guarded():
        if strategy.needs_model and version is None:
            st.info(
                "This strategy asks a model, and there is none yet. Start with a Random batch, label it and train.",
                icon=":material/model_training:",
            )
            link_to("train", "Train a model", page.project)
            return
        if version is not None and not _score_pool(page, strategy, version):
            return
        if version is None and strategy.reads and not _read_pool(page):
            return
        selection = page.workbench.selection.preview(
            page.project,
            strategy.name,
            int(size),
            stored,
            seed=narrowed.seed,
            model_version=version.number if version else None,
            filters=narrowed.filters,
            keep_duplicates=narrowed.duplicates,
            audit_share=audit_share,
            noise=noise,
        )
        _draw_preview(page, selection, strategy)


def draw_select_page(page: Page) -> None:
    """Draw the page: the form, the preview, the batches."""
    with page.guarded():
        made = st.session_state.pop("select_made", None)
        if made:
            st.success(
                f"Batch {made[0]} with {count(made[1], 'example')} waits on the Label page.",
                icon=":material/check:",
            )
        batches = page.workbench.selection.batches(page.project)
        progress = tuple((batch.id, batch.items, batch.done) for batch in batches)
        left_over = _pool_left(page, (*page.workbench.selection.pool_stamp(page.project), progress))
        if left_over:
            st.markdown(
                f"**{count(left_over, 'example')}** of the pool may be selected. What should be labeled next?"
            )
            _draw_selection(page)
        else:
            st.info(
                "No unlabeled example of the pool is left to select. Import more as the pool, or give a batch back.",
                icon=":material/inbox:",
            )
            link_to("data", "Import data", page.project)
        _draw_batches(page, batches)
        link_to("suspects", "Look again at labels that are probably wrong", page.project)
