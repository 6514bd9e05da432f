"""What was taken for what: the confusion matrix, down to the examples behind a cell."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from workbench.services.comparison import Analysis
from workbench.services.differences import behind, confusion, error_kinds, kinds_of
from workbench.tasks.mistakes import MEANINGS, NOTHING
from workbench.ui.address import kept_choice
from workbench.ui.compare_examples import draw_list
from workbench.ui.page import Page
from workbench.ui.tables import draw_table
from workbench.ui.theme import BLUE, ink

NONE = "(nothing)"
SEPARATOR = " → "
MOST_LABELS = 40
CELL = "cell"


def draw_confusion(page: Page, analysis: Analysis) -> None:
    """Kinds of error under both versions, then the matrix of one, then the examples of a cell."""
    _draw_kinds(analysis)
    scope = f"compare-{page.project.id}"
    side = choose_side(analysis, scope)
    cells = confusion(analysis, side)
    wrong = [(cell, number) for cell, number in cells.most_common() if cell[0] != cell[1]]
    same = [(cell, number) for cell, number in cells.most_common() if cell[0] == cell[1]]
    # A label can be confused with itself: an entity of the right label with the wrong ends.
    names = {_name(*cell): (cell, number) for cell, number in (*wrong, *same)}
    if not names:
        st.info("There is nothing to count.", icon=":material/search_off:")
        return
    _draw_matrix([(cell, number) for cell, number in names.values()], choice=f"{scope}-{side}-{CELL}")
    chosen = kept_choice(
        st.container(),
        "Examples behind a cell",
        list(names),
        name=CELL,
        scope=f"{scope}-{side}",
        default=next(iter(names)),
        format_func=lambda name: f"{name} · {names[name][1]:,}",
        help="Gold label → what was predicted, the most frequent confusion first.",
    )
    (gold, predicted), _ = names[chosen]
    number = (analysis.comparison.a, analysis.comparison.b)[side]
    places = behind(analysis, side, gold, predicted)
    draw_list(page, analysis, places, key=f"cell-{side}-{chosen}", why=f"version {number}: {chosen}")


def choose_side(analysis: Analysis, scope: str) -> int:
    """Which of the two versions a view is about: 0 or 1."""
    numbers = (analysis.comparison.a, analysis.comparison.b)
    return int(
        kept_choice(
            st.container(),
            "Of",
            ["1", "0"],
            name="side",
            scope=scope,
            default="1",
            format_func=lambda side: f"Version {numbers[int(side)]}",
            kind="segments",
        )
    )


def _draw_kinds(analysis: Analysis) -> None:
    kinds = kinds_of(analysis)
    if len(kinds) < 2:
        return
    counted = error_kinds(analysis)
    rows = [
        {
            "Kind of error": kind.capitalize(),
            "a": counted[0][kind],
            "b": counted[1][kind],
            "change": counted[1][kind] - counted[0][kind],
            "What it is": MEANINGS[kind],
        }
        for kind in kinds
    ]
    number = st.column_config.NumberColumn
    draw_table(
        pd.DataFrame(rows),
        column_config={
            "a": number(f"Version {analysis.comparison.a}", format="localized"),
            "b": number(f"Version {analysis.comparison.b}", format="localized"),
            "change": number("Change", format="%+d"),
        },
    )


def _name(gold: str, predicted: str) -> str:
    return f"{gold or NONE}{SEPARATOR}{predicted or NONE}"


def _draw_matrix(cells: list[tuple[tuple[str, str], int]], *, choice: str) -> None:
    """The matrix; a click on a cell makes it the choice of the box below, whose key in the session is ``choice``."""
    key = f"{choice}-clicked"

    def take() -> None:
        picked = st.session_state[key].get("selection", {}).get(CELL, [])
        if picked:
            st.session_state[choice] = f"{picked[0]['gold']}{SEPARATOR}{picked[0]['predicted']}"

    st.altair_chart(_heatmap(cells), width="stretch", key=key, on_select=take, selection_mode=CELL)
    st.caption("Click a cell to see the examples behind it.")


def _heatmap(cells: list[tuple[tuple[str, str], int]]) -> alt.Chart:
    """Gold labels down, predicted ones across; colour by the share of the gold label, the number written in."""
    totals: dict[str, int] = {}
    for (gold, _), number in cells:
        totals[gold] = totals.get(gold, 0) + number
    order = sorted((label for label in totals if label != NOTHING), key=lambda label: -totals[label])
    order = [*order, *sorted({cell[1] for cell, _ in cells} - set(order) - {NOTHING})][:MOST_LABELS]
    frame = pd.DataFrame(
        [
            {
                "gold": gold or NONE,
                "predicted": predicted or NONE,
                "count": number,
                "share": number / totals[gold],
            }
            for (gold, predicted), number in cells
            if {gold, predicted} <= {*order, NOTHING}
        ]
    )
    sort = [*order, NONE]
    base = alt.Chart(frame).encode(
        x=alt.X("predicted:N", sort=sort, title="Predicted", axis=alt.Axis(orient="top", labelAngle=-40)),
        y=alt.Y("gold:N", sort=sort, title="In gold"),
        tooltip=[
            alt.Tooltip("gold:N", title="In gold"),
            alt.Tooltip("predicted:N", title="Predicted"),
            alt.Tooltip("count:Q", title="How often", format=","),
            alt.Tooltip("share:Q", title="Of the gold label", format=".1%"),
        ],
    )
    boxes = base.mark_rect(color=BLUE, cursor="pointer").encode(
        opacity=alt.Opacity(
            "share:Q", scale=alt.Scale(type="sqrt", domain=[0, 1], range=[0.06, 0.85]), legend=None
        )
    )
    boxes = boxes.add_params(alt.selection_point(name=CELL, fields=["gold", "predicted"]))
    text = base.mark_text(fontSize=12, fontWeight="bold", cursor="pointer").encode(
        text=alt.Text("count:Q", format=","),
        color=alt.condition("datum.share > 0.3", alt.value("#ffffff"), alt.value(ink())),
    )
    return alt.layer(boxes, text).properties(height=26 * len(sort) + 110)
