"""Two versions against each other: which is better, by how much, how sure that is, and where it got worse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.domain import GoldSet, Split
from workbench.services.comparison import Analysis, Comparison
from workbench.services.figures import left_out
from workbench.services.pairs import Pair, on_both, usual_versions
from workbench.services.slices import Seen
from workbench.services.versions import VersionRow
from workbench.ui.address import kept_choice
from workbench.ui.compare_examples import draw_examples
from workbench.ui.compare_parts import draw_parts
from workbench.ui.compare_report import draw_report
from workbench.ui.forest import Row, draw_forest, p_value
from workbench.ui.page import Page
from workbench.ui.theme import count, metric_title, score

VIEWS = {
    "labels": "Where it changed",
    "examples": "Examples",
    "confusion": "Confusion",
    "certainty": "Certainty",
    "parts": "Parts",
    "figures": "All figures",
    "report": "Report",
}
ORDERS = {"support": "Most frequent first", "worse": "Worst first", "better": "Best first"}


def draw_pair(page: Page, rows: Sequence[VersionRow], gold_sets: Mapping[int, GoldSet], split: Split) -> None:
    """Draw all of it: the choice, the verdict, and the ways to look into it.

    Args:
        page: The page.
        rows: Two versions or more that were measured on a frozen set of the split.
        gold_sets: The frozen sets, by number.
        split: What they were measured on.
    """
    pair = _choose(page, rows, gold_sets, split)
    if pair is None:
        return
    where = (page.workbench.settings.url, page.project.id)
    with st.spinner("Comparing…"):
        analysis = page.workbench.comparison.look_into(page.project, pair)
    _draw_verdict(analysis)
    _draw_numbers(analysis.comparison, analysis)
    view = kept_choice(
        st.container(),
        "Look into it",
        list(VIEWS),
        name="view",
        scope=f"compare-{page.project.id}",
        default="labels",
        format_func=VIEWS.__getitem__,
        kind="segments",
    )
    _draw_view(view, page, pair, analysis, lambda: _seen(page, where, pair.a, pair.b))


def _draw_view(view: str, page: Page, pair: Pair, analysis: Analysis, seen: Callable[[], Seen]) -> None:
    """A way to look into it; one that needs the libraries of charts and tables loads them when it is looked at."""
    if view == "examples":
        draw_examples(page, analysis)
    elif view == "confusion":
        from workbench.ui.compare_confusion import draw_confusion

        draw_confusion(page, analysis)
    elif view == "certainty":
        from workbench.ui.compare_certainty import draw_certainty

        draw_certainty(page, analysis, pair.evaluations)
    elif view == "parts":
        draw_parts(page, analysis, seen)
    elif view == "figures":
        from workbench.ui.compare_figures import draw_figures

        draw_figures(analysis.comparison, pair.evaluations)
    elif view == "report":
        draw_report(page, analysis, seen)
    else:
        _draw_labels(page, analysis)


@st.cache_resource(show_spinner="Reading the training data…", max_entries=6, ttl=3600)  # type: ignore[untyped-decorator]
def _seen(_page: Page, where: tuple[str, int], a: int, b: int) -> Seen:
    """A version's training data does not change."""
    return _page.workbench.comparison.seen(_page.project, a, b)


def _choose(
    page: Page, rows: Sequence[VersionRow], gold_sets: Mapping[int, GoldSet], split: Split
) -> Pair | None:
    """The two versions and the set of labels to compare them on; None where there is nothing to compare."""
    by_number = {str(row.version.number): row for row in rows}
    numbers = sorted(by_number, key=int)
    base, newest = (str(row.version.number) for row in usual_versions(rows))

    def name(number: str) -> str:
        row = by_number[number]
        state = "".join(f" · {word}" for word in row.version.states)
        return f"Version {number} · {count(row.trained_on, 'example')}{state}"

    left, right, third = st.columns([2, 2, 2])
    scope = f"compare-{page.project.id}"
    a = kept_choice(
        left, "A", numbers, name="a", scope=scope, default=base, always=True, format_func=name,
        help="What is there now, and how many examples it was trained on.",
    )  # fmt: skip
    b = kept_choice(
        right, "B", numbers, name="b", scope=scope, default=newest, always=True, format_func=name,
        help="What might replace it, and how many examples it was trained on.",
    )  # fmt: skip
    if a == b:
        st.info("Choose two different versions.", icon=":material/balance:")
        return None
    return _choose_set(page, third, (by_number[a], by_number[b]), gold_sets, split)


def _choose_set(
    page: Page,
    place: DeltaGenerator,
    pair: tuple[VersionRow, VersionRow],
    gold_sets: Mapping[int, GoldSet],
    split: Split,
) -> Pair | None:
    a, b = (row.version.number for row in pair)
    both = {str(number): made for number, made in on_both(*pair, gold_sets).items()}
    if not both:
        st.info(
            f"Versions {a} and {b} were never measured on the same labels. Measure them first.",
            icon=":material/straighten:",
        )
        return None
    chosen = kept_choice(
        place,
        "On",
        list(both),
        name="set",
        scope=f"compare-{page.project.id}-{split}-{a}-{b}",
        default=list(both)[-1],
        always=True,
        format_func=lambda number: (
            f"{str(split).capitalize()} set {number} · {count(gold_sets[int(number)].examples, 'example')} · "
            f"{gold_sets[int(number)].created_at:%Y-%m-%d}"
        ),
        help="Labels are frozen when they are first measured on. Both versions are held to the same ones.",
    )
    return Pair(a, b, gold_sets[int(chosen)], both[chosen])


def _draw_verdict(analysis: Analysis) -> None:
    comparison = analysis.comparison
    verdict, icon = st.info, ":material/help:"
    if analysis.doubted:
        verdict, icon = st.error, ":material/warning:"
    elif comparison.decided:
        verdict, icon = st.success, ":material/trending_up:"
        if comparison.difference < 0:
            verdict, icon = st.warning, ":material/trending_down:"
    said = [f"**{comparison.sentence}**", comparison.worse_sentence]
    leaks = [(each.number, leak) for each, leak in zip(analysis.versions, analysis.leaks, strict=True)]
    said += [
        f"**Not to be trusted.** Version {number}: {leak.sentence}" for number, leak in leaks if leak.sentence
    ]
    verdict("\n\n".join(said), icon=icon)
    for number, leak in leaks:
        if not leak.sentence and leak.same_text > leak.examples // 100:
            st.caption(
                f"Version {number} was trained on the very text of {leak.same_text:,} of these {leak.examples:,} "
                "examples, in other documents."
            )


def _draw_numbers(comparison: Comparison, analysis: Analysis) -> None:
    scale, metric = comparison.scale, metric_title(comparison.metric)
    columns = st.columns(5)
    titles = [
        f":red[{metric}, version {number}, too high]"
        if number in analysis.doubted
        else f"{metric}, version {number}"
        for number in (comparison.a, comparison.b)
    ]
    columns[0].metric(titles[0], score(comparison.score_a, scale))
    columns[1].metric(
        titles[1],
        score(comparison.score_b, scale),
        delta=f"{100 * comparison.difference / scale:+.1f} points",
    )
    columns[2].metric(
        "Fixed", f"{comparison.fixed:,}", help="Examples that A has wrong and B entirely right."
    )
    columns[3].metric(
        "Broken", f"{comparison.broken:,}", help="Examples that A has entirely right and B wrong."
    )
    columns[4].metric(
        "p-value",
        p_value(comparison.p_value),
        help="How often versions that are equally good would differ by as much, by swapping their outputs at random.",
    )
    st.caption(
        f"{str(comparison.split).capitalize()} set {comparison.gold_set}, frozen "
        f"{analysis.gold_set.created_at:%Y-%m-%d %H:%M}, {count(comparison.examples, 'labeled example')}"
        f"{left_out(comparison.partial)}, "
        f"hash {comparison.data_hash[:12]}. Intervals by paired bootstrap over "
        f"{count(comparison.units, comparison.unit.removesuffix('s'))}, p-values by approximate randomisation."
    )


def _draw_labels(page: Page, analysis: Analysis) -> None:
    """Every label's difference; plain HTML, so that it stands there before any chart library is loaded."""
    comparison = analysis.comparison
    rows = list(comparison.per_label)
    if len(rows) > 1:
        order = kept_choice(
            st.container(),
            "Order",
            list(ORDERS),
            name="order",
            scope=f"compare-{page.project.id}",
            default="support",
            format_func=ORDERS.__getitem__,
            kind="segments",
        )
        if order != "support":
            rows.sort(key=lambda row: row.difference, reverse=order == "better")
    whole = Row(
        metric_title(comparison.metric),
        None,
        comparison.score_a,
        comparison.score_b,
        comparison.difference,
        *comparison.confidence_interval,
        comparison.p_value,
        whole=True,
    )
    parts = [
        Row(row.label, row.support, row.a, row.b, row.difference, row.low, row.high, row.p_value)
        for row in rows
    ]
    draw_forest(
        [whole, *parts],
        versions=(comparison.a, comparison.b),
        counted="In gold",
        scale=comparison.scale,
        doubted=analysis.doubted,
    )
    if len(rows) > 1 and not comparison.of_questions:
        st.caption(
            "Each label's p-value is of it by itself: among twenty labels, one is below 0.05 by chance."
        )
