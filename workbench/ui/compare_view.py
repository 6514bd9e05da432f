"""Two versions against each other: which is better, by how much, how sure that is, and where it got worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.domain import Split
from workbench.services.comparison import Analysis, Comparison
from workbench.services.slices import Seen
from workbench.services.versions import VersionRow
from workbench.ui.address import kept_choice
from workbench.ui.compare_certainty import draw_certainty
from workbench.ui.compare_confusion import draw_confusion
from workbench.ui.compare_examples import draw_examples
from workbench.ui.compare_figures import draw_figures
from workbench.ui.compare_parts import draw_parts
from workbench.ui.compare_report import draw_report
from workbench.ui.forest import Row, draw_forest, p_value
from workbench.ui.page import Page
from workbench.ui.run_charts import metric_name
from workbench.ui.theme import count, score

ORDERS = {"support": "Most frequent first", "worse": "Worst first", "better": "Best first"}


def draw_pair(page: Page, rows: Sequence[VersionRow], split: Split) -> None:
    """Draw all of it: the choice, the verdict, and the ways to look into it."""
    chosen = _choose(page, rows, split)
    if chosen is None:
        return
    a, b, gold_set = chosen
    stamp = tuple(
        sorted(
            str((each.model_version, each.created_at))
            for each in page.workbench.evaluation.evaluations(page.project, split)
            if each.gold_set == gold_set
        )
    )
    where = (page.workbench.settings.url, page.project.id)
    analysis = _analysed(page, where, a, b, str(split), gold_set, stamp)
    comparison = analysis.comparison
    _draw_verdict(comparison)
    _draw_leaks(page, analysis)
    _draw_numbers(comparison, analysis)
    views: dict[str, tuple[str, Callable[[], None]]] = {
        "labels": ("Where it changed", lambda: _draw_labels(page, comparison)),
        "examples": ("Examples", lambda: draw_examples(page, analysis)),
        "confusion": ("Confusion", lambda: draw_confusion(page, analysis)),
        "certainty": ("Certainty", lambda: draw_certainty(page, analysis)),
        "parts": ("Parts", lambda: draw_parts(page, analysis, lambda: _seen(page, where, a, b))),
        "figures": ("All figures", lambda: draw_figures(page, analysis)),
        "report": ("Report", lambda: draw_report(page, analysis, lambda: _seen(page, where, a, b))),
    }
    view = kept_choice(
        st.container(),
        "Look into it",
        list(views),
        name="view",
        scope=f"compare-{page.project.id}",
        default="labels",
        format_func=lambda name: views[name][0],
        kind="segments",
    )
    views[view][1]()


@st.cache_resource(show_spinner="Comparing…", max_entries=6, ttl=3600)  # type: ignore[untyped-decorator]
def _analysed(
    _page: Page,
    where: tuple[str, int],
    a: int,
    b: int,
    split: str,
    gold_set: int,
    stamp: tuple[str, ...],
) -> Analysis:
    """Kept while neither version is measured anew: labels of a frozen set do not change."""
    return _page.workbench.comparison.analyse(_page.project, a, b, split, gold_set)


@st.cache_resource(show_spinner="Reading the training data…", max_entries=6, ttl=3600)  # type: ignore[untyped-decorator]
def _seen(_page: Page, where: tuple[str, int], a: int, b: int) -> Seen:
    """A version's training data does not change."""
    return _page.workbench.comparison.seen(_page.project, a, b)


def _choose(page: Page, rows: Sequence[VersionRow], split: Split) -> tuple[int, int, int] | None:
    """The two versions and the set of labels to compare them on; None where there is nothing to compare."""
    by_number = {str(row.version.number): row for row in rows}
    numbers = sorted(by_number, key=int)
    active = [number for number in numbers if not by_number[number].version.archived_at] or numbers
    promoted = next((number for number in numbers if by_number[number].version.promoted), None)
    newest = active[-1] if len(active) > 1 else numbers[-1]
    others = [number for number in (active if len(active) > 1 else numbers) if number != newest]
    base = promoted if promoted is not None and promoted != newest else others[-1]

    def name(number: str) -> str:
        row = by_number[number]
        state = " · promoted" if row.version.promoted else " · archived" if row.version.archived_at else ""
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
    return _choose_set(page, third, (int(a), int(b)), split)


def _choose_set(
    page: Page, place: DeltaGenerator, pair: tuple[int, int], split: Split
) -> tuple[int, int, int] | None:
    evaluations = page.workbench.evaluation.evaluations(page.project, split)
    measured = [{each.gold_set for each in evaluations if each.model_version == number} for number in pair]
    sets = {each.number: each for each in page.workbench.evaluation.gold_sets(page.project, split)}
    common = [str(number) for number in sorted(sets) if all(number in found for found in measured)]
    if not common:
        st.info(
            f"Versions {pair[0]} and {pair[1]} were never measured on the same labels. Measure them first.",
            icon=":material/straighten:",
        )
        return None
    chosen = kept_choice(
        place,
        "On",
        common,
        name="set",
        scope=f"compare-{page.project.id}-{split}-{pair[0]}-{pair[1]}",
        default=common[-1],
        always=True,
        format_func=lambda number: (
            f"{str(split).capitalize()} set {number} · {count(sets[int(number)].examples, 'example')} · "
            f"{sets[int(number)].created_at:%Y-%m-%d}"
        ),
        help="Labels are frozen when they are first measured on. Both versions are held to the same ones.",
    )
    return (*pair, int(chosen))


def _draw_verdict(comparison: Comparison) -> None:
    verdict, icon = st.info, ":material/help:"
    if comparison.decided:
        verdict, icon = st.success, ":material/trending_up:"
        if comparison.difference < 0:
            verdict, icon = st.warning, ":material/trending_down:"
    verdict(f"**{comparison.sentence}**\n\n{comparison.worse_sentence}", icon=icon)


def _draw_leaks(page: Page, analysis: Analysis) -> None:
    for version in analysis.versions:
        leak = page.workbench.versions.leak(version, analysis.gold_set)
        if leak.sentence:
            st.error(f"Version {version.number}: {leak.sentence}", icon=":material/warning:")
        elif leak.same_text > leak.examples // 100:
            st.caption(
                f"Version {version.number} was trained on the very text of {leak.same_text:,} of these "
                f"{leak.examples:,} examples, in other documents."
            )


def _draw_numbers(comparison: Comparison, analysis: Analysis) -> None:
    scale, metric = comparison.scale, metric_name(comparison.metric)
    columns = st.columns(5)
    columns[0].metric(f"{metric}, version {comparison.a}", score(comparison.score_a, scale))
    columns[1].metric(
        f"{metric}, version {comparison.b}",
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
        f"{analysis.gold_set.created_at:%Y-%m-%d %H:%M}, {count(comparison.examples, 'labeled example')}, "
        f"hash {comparison.data_hash[:12]}. Intervals by paired bootstrap over "
        f"{count(comparison.units, comparison.unit.removesuffix('s'))}, p-values by approximate randomisation."
    )


def _draw_labels(page: Page, comparison: Comparison) -> None:
    """Every label's difference; plain HTML, so that it stands there before any chart library is loaded."""
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
        metric_name(comparison.metric),
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
        [whole, *parts], versions=(comparison.a, comparison.b), counted="In gold", scale=comparison.scale
    )
    if len(rows) > 1:
        st.caption(
            "Each label's p-value is of it by itself: among twenty labels, one is below 0.05 by chance."
        )
