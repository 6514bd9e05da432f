"""Labels: the set and how it is used, changes with a preview, history and undo."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st

from workbench.errors import WorkbenchError
from workbench.services import labelchanges as changes
from workbench.services.labelchanges import LabelChange
from workbench.services.labelsets import Changed
from workbench.ui.confirm import confirmed
from workbench.ui.data_preview import escaped
from workbench.ui.page import Page
from workbench.ui.tables import draw_table
from workbench.ui.text_view import label_chip
from workbench.ui.theme import count

ADD, RENAME, MERGE, SPLIT = "add", "rename", "merge", "split"
RECOLOUR, DESCRIBE, RETIRE, RESTORE = "recolour", "describe", "retire", "restore"
_NAMES = {
    ADD: "Add a label",
    RENAME: "Rename",
    MERGE: "Merge",
    SPLIT: "Split by words",
    RECOLOUR: "Change a colour",
    DESCRIBE: "Describe",
    RETIRE: "Retire",
    RESTORE: "Restore",
}
ASK, LEAVE = "decide them again, one by one", "leave them as they are"
SHOWN_WORDS = 500
_DONE = "labels-done"
_NEW = ("name", "description")
"""The fields of a label that is added."""


def draw_labels(page: Page) -> None:
    """The set, a change, the history."""
    if page.project.task == "qa":
        st.info("Questions and answers have no label set.", icon=":material/label_off:")
        return
    done = st.session_state.pop(_DONE, None)
    if done is not None:
        st.success(done, icon=":material/check_circle:")
    uses = _uses(page)
    _draw_set(page, uses)
    st.subheader("Change it")
    change = _choose_change(page)
    if change is not None:
        _draw_change(page, change)
    _draw_history(page)


def _uses(page: Page) -> Counter[str]:
    """How often each label is used, counted anew when something was saved since."""
    stamp = (str(page.workbench.settings.url), page.project.id, page.workbench.labelsets.stamp(page.project))
    return _counted(page, stamp)  # type: ignore[no-any-return]


@st.cache_data(show_spinner="Counting…", max_entries=8, ttl=600)  # type: ignore[untyped-decorator]
def _counted(_page: Page, stamp: tuple[object, ...]) -> Counter[str]:
    return _page.workbench.labelsets.uses(_page.project)


def _key(page: Page, field: str) -> str:
    """Key of a field: what is typed about a project's label says nothing about another's of that name."""
    return f"labels-{page.project.id}-{field}"


def _draw_set(page: Page, uses: Counter[str]) -> None:
    if not page.project.labels:
        st.info("There are no labels yet: add one here, or import labeled data.", icon=":material/label:")
        return
    active = [label for label in page.project.labels if not label.retired]
    retired = [label for label in page.project.labels if label.retired]
    st.html("".join(label_chip(label, uses[label.name]) for label in active))
    if retired:
        st.caption("Retired: offered no longer, kept where they are.")
        st.html("".join(label_chip(label, uses[label.name]) for label in retired))
    described = [label for label in active if label.description]
    for label in described:
        st.markdown(f"**{escaped(label.name)}** — {escaped(label.description)}")


def _choose_change(page: Page) -> LabelChange | None:
    """The change that the fields describe; None while they say too little."""
    active = list(page.project.label_names)
    retired = [label.name for label in page.project.labels if label.retired]
    kinds = [
        ADD,
        *([RENAME, MERGE, SPLIT, RECOLOUR, DESCRIBE, RETIRE] if active else []),
        *([RESTORE] if retired else []),
    ]
    kind = st.segmented_control(
        "What to do",
        kinds,
        default=ADD,
        format_func=_NAMES.__getitem__,
        key="labels-kind",
        label_visibility="collapsed",
    )
    if kind == ADD:
        return _add(page)
    if kind == MERGE:
        return _merge(page, active)
    if kind == RESTORE:
        return changes.restore(st.selectbox("Label", retired, key=_key(page, "retired")))
    if kind is None:
        return None
    return _one_label(page, kind, st.selectbox("Label", active, key=_key(page, "label")))


def _one_label(page: Page, kind: str, label: str) -> LabelChange | None:
    """A change of a single label."""
    known = {one.name: one for one in page.project.labels}[label]
    found: LabelChange | None = None
    if kind == RENAME:
        new = st.text_input("New name", key=_key(page, f"new-{label}")).strip()
        found = changes.rename(label, new) if new and new != label else None
    elif kind == SPLIT:
        found = _split(page, label)
    elif kind == RECOLOUR:
        color = st.color_picker("Colour", known.color, key=_key(page, f"color-{label}"))
        found = changes.recolour(label, color) if color != known.color else None
    elif kind == DESCRIBE:
        text = st.text_area(
            "What it means, for whoever labels", known.description, key=_key(page, f"text-{label}")
        ).strip()
        found = changes.describe(label, text) if text != known.description else None
    elif kind == RETIRE:
        found = changes.retire(label)
    return found


def _add(page: Page) -> LabelChange | None:
    left, right = st.columns([1, 2])
    named, described = (_key(page, field) for field in _NEW)
    for key in (named, described):
        st.session_state.setdefault(key, "")  # said, or the browser would keep what was typed before
    name = left.text_input("Name", key=named).strip()
    description = right.text_input("What it means, for whoever labels", key=described).strip()
    return changes.add(name, description=description) if name else None


def _merge(page: Page, active: list[str]) -> LabelChange | None:
    left, right = st.columns(2)
    old = left.multiselect("Labels that become one", active, key=_key(page, "merge"))
    into = right.text_input("Which one: one of them, another, or a new name", key=_key(page, "into")).strip()
    return changes.merge(old, into) if old and into and set(old) != {into} else None


def _split(page: Page, label: str) -> LabelChange | None:
    """Words of a label, each with the label that it gets."""
    words = page.workbench.labelsets.surfaces(page.project, label)
    new = st.text_input(
        "New labels, with commas between them", key=_key(page, f"split-{label}"), placeholder="CITY, COUNTRY"
    )
    names = [name.strip() for name in new.split(",") if name.strip()]
    targets = list(dict.fromkeys([*names, *page.project.label_names]))
    st.caption(f"{label} stands on {count(len(words), 'different word')}; say which of them get which label.")
    table = pd.DataFrame(
        [{"Words": word, "Uses": number, "Becomes": None} for word, number in words.most_common(SHOWN_WORDS)]
    )
    edited = st.data_editor(
        table,
        key=_key(page, f"words-{label}-{'-'.join(names)}"),
        hide_index=True,
        disabled=["Words", "Uses"],
        column_config={"Becomes": st.column_config.SelectboxColumn(options=targets)},
        width="stretch",
    )
    rest = st.selectbox("All others", [ASK, LEAVE, *targets], key=_key(page, f"rest-{label}"))
    rules: dict[str, str] = {}
    if len(edited):
        chosen = edited.dropna(subset=["Becomes"])
        rules = dict(zip(chosen["Words"], chosen["Becomes"], strict=True))
    if not rules and rest in (LEAVE, label):
        return None
    return changes.split(label, rules, None if rest == ASK else label if rest == LEAVE else rest)


def _draw_change(page: Page, change: LabelChange) -> None:
    """What the change would do, and the button."""
    try:
        seen = page.workbench.labelsets.preview(page.project, change)
    except WorkbenchError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.markdown(f"{escaped(seen.sentence).capitalize()}: {_effect(seen)}")
    verb = (
        f"Change {count(seen.effect.annotations, 'annotation')}"
        if seen.effect.annotations
        else "Change the set"
    )
    if st.button(verb, type="primary", icon=":material/published_with_changes:", key="labels-apply"):
        done = page.workbench.labelsets.apply(page.project, change, page.user.id)
        batch = f" Batch {done.batch} holds what is to be decided again." if done.batch else ""
        st.session_state[_DONE] = f"Done: {done.sentence}.{batch}"
        if change.kind == ADD:
            for field in _NEW:  # it is there now: what was typed would ask for it once more
                st.session_state.pop(_key(page, field), None)
        st.rerun()


def _effect(seen: Changed) -> str:
    effect = seen.effect
    if not effect.annotations and not effect.kept:
        return "no annotation changes."
    parts = [
        f"{count(effect.annotations, 'annotation')} of {count(effect.examples, 'example')} "
        f"{'are' if effect.annotations != 1 else 'is'} written anew, {effect.gold:,} of them accepted ones"
    ]
    if effect.undecided:
        parts.append(f"{effect.undecided:,} places are put into a batch, to be decided again")
    if effect.kept:
        parts.append(f"{count(effect.kept, 'annotation')} that people have revised since stay as they are")
    return "; ".join(parts) + "."


def _draw_history(page: Page) -> None:
    history = page.workbench.labelsets.history(page.project)
    if not history:
        return
    st.subheader("History")
    rows = [
        {
            "Change": record.number,
            "When": record.created_at,
            "Who": record.user or "",
            "What": changes.sentence(record.kind, record.labels),
            "Annotations": record.counts.get("annotations", 0),
            "": "undone" if record.undone_at else "",
        }
        for record in reversed(history)
    ]
    draw_table(pd.DataFrame(rows))
    newest = next((record for record in reversed(history) if record.undone_at is None), None)
    if newest is None:
        return
    seen = page.workbench.labelsets.undo_preview(page.project)
    if confirmed(
        f"Undo change {newest.number}",
        f"{escaped(seen.sentence).capitalize()}: {_effect(seen)}",
        yes="Undo it",
        key="labels-undo",
        icon=":material/undo:",
    ):
        done = page.workbench.labelsets.undo(page.project, page.user.id, newest.number)
        kept = f" Still used, and kept: {', '.join(done.kept_labels)}." if done.kept_labels else ""
        st.session_state[_DONE] = f"Change {newest.number} is undone.{kept}"
        st.rerun()
