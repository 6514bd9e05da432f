"""Examples of a comparison as the annotator sees them: gold, then both predictions; and from there to be corrected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.domain import Payload
from workbench.errors import WorkbenchError
from workbench.services.comparison import Analysis
from workbench.services.corrections import MOST
from workbench.services.differences import (
    LENGTHS,
    Change,
    Wanted,
    changed,
    error_labels,
    kinds_of,
    length_name,
)
from workbench.tasks.mistakes import MEANINGS, NOTHING, Kind, Mistake, Reading
from workbench.ui.address import kept_choice
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.text_view import labeled_text
from workbench.ui.theme import count

SHOWN = 5
"""Examples that are drawn at first, and added by each further click."""

ANY = "any"


def draw_examples(page: Page, analysis: Analysis) -> None:
    """The examples that were fixed, were broken or stayed wrong, with their filters."""
    a, b = analysis.comparison.a, analysis.comparison.b
    scope = f"compare-{page.project.id}"
    totals = {change: len(changed(analysis, change)) for change in Change}
    change = Change(
        kept_choice(
            st.container(),
            "Which",
            [str(each) for each in Change],
            name="change",
            scope=scope,
            default=str(next((change for change in Change if totals[change]), Change.BROKEN)),
            format_func=lambda name: f"{name.capitalize()} ({totals[Change(name)]:,})",
            kind="segments",
        )
    )
    st.caption(
        {
            Change.BROKEN: f"Version {a} had these right, version {b} has them wrong. Look twice: a broken example is "
            "often a wrong gold label.",
            Change.FIXED: f"Version {a} had these wrong, version {b} has them right.",
            Change.BOTH: "Neither version has these right: they are hard, or wrong in gold.",
        }[change]
    )
    wanted = _filters(analysis, scope)
    places = changed(analysis, change, wanted)
    said = {
        Change.FIXED: f"fixed from version {a} to {b}",
        Change.BROKEN: f"broken from version {a} to {b}",
        Change.BOTH: f"wrong in versions {a} and {b}",
    }[change]
    draw_list(page, analysis, places, key=f"change-{change}-{wanted}", why=said)


def _filters(analysis: Analysis, scope: str) -> Wanted:
    columns = st.columns(4)
    labels = error_labels(analysis)
    kinds = [str(kind) for kind in kinds_of(analysis)]
    lengths = [str(index) for index in range(len(LENGTHS))]
    held = Counter(row.document_id for row in analysis.judgement.rows)
    documents = [str(document) for document, _ in held.most_common()]
    questions = analysis.task == "qa"
    label = _narrowed(columns[0], "Label", labels, "label", scope, {})
    kind = _narrowed(columns[1], "Kind of error", kinds, "kind", scope, {k: k.capitalize() for k in kinds})
    length = _narrowed(
        columns[2], "Length", lengths, "length", scope, {i: length_name(int(i), questions) for i in lengths}
    )
    names = {document: analysis.documents.get(int(document), document) for document in documents}
    document = _narrowed(columns[3], "Document", documents, "document", scope, names)
    if kind is not None:
        st.caption(MEANINGS[Kind(kind)])
    return Wanted(
        label,
        None if kind is None else Kind(kind),
        None if document is None else int(document),
        None if length is None else int(length),
    )


def _narrowed(
    place: DeltaGenerator, title: str, options: Sequence[str], name: str, scope: str, names: dict[str, str]
) -> str | None:
    chosen = kept_choice(
        place,
        title,
        [ANY, *options],
        name=name,
        scope=scope,
        default=ANY,
        format_func=lambda option: "Any" if option == ANY else names.get(option, option),
    )
    return None if chosen == ANY else chosen


def draw_list(
    page: Page,
    analysis: Analysis,
    places: Sequence[int],
    *,
    key: str,
    why: str,
    notes: Mapping[int, str] | None = None,
) -> None:
    """Examples, some at a time, and the button that puts all of them into a correction batch.

    Args:
        page: The page.
        analysis: The comparison.
        places: Of the examples in the analysis, in the order in which to show them.
        key: Tells lists apart.
        why: Kept as the batch's reason.
        notes: What to say of single examples, by their place.
    """
    if not places:
        st.info("No example fits.", icon=":material/search_off:")
        return
    _draw_batch_button(page, analysis, places, key, why)
    shown_key = f"compare-shown-{analysis.comparison.a}-{analysis.comparison.b}-{key}"
    shown = int(st.session_state.get(shown_key, SHOWN))
    for place in places[:shown]:
        _draw_example(page, analysis, place, (notes or {}).get(place))
    if shown < len(places) and st.button(
        f"Show more ({len(places) - shown:,} left)", key=f"more-{key}", icon=":material/expand_more:"
    ):
        st.session_state[shown_key] = shown + 2 * SHOWN
        st.rerun()


def _draw_batch_button(page: Page, analysis: Analysis, places: Sequence[int], key: str, why: str) -> None:
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.markdown(f"**{count(len(places), 'example')}**")
    chosen = places[:MOST]
    what = f"Put {'these' if len(places) <= MOST else 'the first'} {len(chosen):,} into a correction batch"
    if right.button(
        what,
        key=f"batch-{key}",
        icon=":material/playlist_add:",
        width="stretch",
        help="A batch like any other: on the Label page each is shown with its labels, to be confirmed or corrected.",
    ):
        try:
            made = page.workbench.corrections.create(
                page.project,
                [analysis.examples[place].example.id for place in chosen],
                why,
                model_version=analysis.comparison.b,
                user_id=page.user.id,
            )
        except WorkbenchError as error:
            st.error(str(error), icon=":material/error:")
            return
        waiting = f" {made.waiting:,} waited in a batch already." if made.waiting else ""
        st.success(
            f"Batch {made.batch.number} has {count(made.batch.items, 'example')}.{waiting}",
            icon=":material/playlist_add_check:",
        )
        link_to("label", f"Label batch {made.batch.number}", page.project, batch=str(made.batch.number))


def _draw_example(page: Page, analysis: Analysis, place: int, note: str | None) -> None:
    judged = analysis.examples[place]
    example = judged.example
    document = analysis.documents.get(example.document_id, "")
    with st.container(border=True):
        head, link = st.columns([6, 1], vertical_alignment="center")
        said = " · ".join(part for part in (note, example.external_id, document) if part)
        head.caption(said.replace("*", "\\*").replace("_", "\\_"))
        with link:
            link_to("label", "Open", page.project, icon=":material/edit_note:", example=str(example.id))
        _draw_line(page, analysis, place, "Gold", judged.gold, None)
        for side, number in enumerate((analysis.comparison.a, analysis.comparison.b)):
            reading = analysis.readings[place][side]
            _draw_line(page, analysis, place, f"Version {number}", judged.predicted[side], reading)


def _draw_line(
    page: Page, analysis: Analysis, place: int, name: str, payload: Payload, reading: Reading | None
) -> None:
    side, text = st.columns([1, 5])
    mark = ""
    if reading is not None:
        mark = ":material/check: " if reading.all_right else ":material/close: "
    side.markdown(f"{mark}**{name}**")
    if reading is not None and reading.mistakes:
        side.caption(" · ".join(dict.fromkeys(said_of(each) for each in reading.mistakes)))
    text.html(labeled_text(analysis.examples[place].content, payload, page.project.labels, limit=500))


def said_of(mistake: Mistake) -> str:
    """``type: LOC → MISC``, ``missed: PER``."""
    if mistake.gold and mistake.predicted and mistake.gold != mistake.predicted:
        return f"{mistake.kind}: {mistake.gold} → {mistake.predicted}"
    label = mistake.gold or mistake.predicted
    return f"{mistake.kind}: {label}" if label != NOTHING else str(mistake.kind)
