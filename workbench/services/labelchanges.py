"""Changes of a label set as values: what a person can ask for, checked, and the rows that result."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.domain import Json, Project
from workbench.errors import AlreadyExists, InvalidInput, NotFound
from workbench.services.projects import make_labels, missing_labels
from workbench.tasks.relabel import folded

COLOR = re.compile(r"#[0-9a-fA-F]{6}")

Rows = dict[str, dict[str, Any]]
"""Label rows by name, in their order."""


@dataclass(frozen=True, slots=True)
class LabelChange:
    """One change of a label set.

    Attributes:
        kind: add, rename, merge, split, recolour, describe, retire or restore.
        old: The labels that change.
        new: What they become: one name for rename and merge; for split every label that its rules name.
        surfaces: Of a split: the label of words, by the words.
        rest: Of a split: the label of all other words. The split label itself leaves them as they are; None lets
            a person decide each again, in a batch.
        values: Columns of the label that are set: ``color``, ``description``.
    """

    kind: str
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    surfaces: Mapping[str, str] = field(default_factory=dict)
    rest: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """The form that the history keeps."""
        what: dict[str, Any] = {"from": list(self.old), "to": list(self.new)}
        if self.kind == "split":
            what |= {
                "surfaces": {folded(key): name for key, name in self.surfaces.items()},
                "rest": self.rest,
            }
        return what | ({"values": dict(self.values)} if self.values else {})


def add(name: str, *, color: str | None = None, description: str = "") -> LabelChange:
    """A new label, with a colour and a key of its own where some are free."""
    values = {"description": description} | ({"color": color} if color else {})
    return LabelChange("add", new=(name,), values=values)


def rename(old: str, new: str) -> LabelChange:
    """Another name for a label; colour, key and description stay."""
    return LabelChange("rename", (old,), (new,))


def merge(old: Sequence[str], into: str) -> LabelChange:
    """Several labels become one, which may be one of them or new."""
    return LabelChange("merge", tuple(dict.fromkeys(old)), (into,))


def split(label: str, surfaces: Mapping[str, str], rest: str | None) -> LabelChange:
    """A label becomes several, by the words that it stands on; see ``LabelChange``."""
    named = [*surfaces.values(), *([rest] if rest is not None else [])]
    new = tuple(name for name in dict.fromkeys(named) if name != label)
    return LabelChange("split", (label,), new, dict(surfaces), rest)


def recolour(label: str, color: str) -> LabelChange:
    """Another colour, as #rrggbb."""
    return LabelChange("recolour", (label,), values={"color": color})


def describe(label: str, description: str) -> LabelChange:
    """What the label means, for whoever labels."""
    return LabelChange("describe", (label,), values={"description": description})


def retire(label: str) -> LabelChange:
    """Offer a label no longer; annotations that have it keep it."""
    return LabelChange("retire", (label,))


def restore(label: str) -> LabelChange:
    """Offer a retired label again."""
    return LabelChange("restore", (label,))


def check(project: Project, change: LabelChange) -> None:
    """Raise for a change that makes no sense.

    Raises:
        NotFound: There is no such label.
        AlreadyExists: A name is taken.
        InvalidInput: A name or colour can't be used, or nothing would change.
    """
    known = {label.name: label for label in project.labels}
    for name in change.old:
        if name not in known:
            raise NotFound(
                f"the project has no label named {name!r}", remedy=f"choose from {', '.join(known)}"
            )
    make_labels(change.new)
    color = change.values.get("color")
    if color is not None and not COLOR.fullmatch(color):
        raise InvalidInput(f"{color!r} is not a colour", remedy="write it as #rrggbb, such as #4477aa")
    if change.kind in ("add", "rename"):
        if change.new[0] in known:
            retired = known[change.new[0]].retired
            remedy = "restore it" if retired else "choose another name, or merge the labels"
            raise AlreadyExists(
                f"there is a {'retired ' if retired else ''}label named {change.new[0]!r} already",
                remedy=remedy,
            )
    elif change.kind == "merge":
        if not set(change.old) - set(change.new):
            raise InvalidInput("there is nothing to merge", remedy="name two labels or more")
        if change.new[0] in known and known[change.new[0]].retired:
            raise InvalidInput(f"{change.new[0]!r} is retired", remedy="restore it first")
    elif change.kind == "split":
        _check_split(change, {name for name, label in known.items() if label.retired})
    elif change.kind in ("retire", "restore") and known[change.old[0]].retired == (change.kind == "retire"):
        raise InvalidInput(
            f"{change.old[0]!r} is {'' if change.kind == 'retire' else 'not '}retired",
            remedy="nothing needs to be done",
        )


def _check_split(change: LabelChange, retired: set[str]) -> None:
    if not change.surfaces and change.rest == change.old[0]:
        raise InvalidInput("nothing would change", remedy="say which words get which label")
    if any(not folded(surface) for surface in change.surfaces):
        raise InvalidInput("a rule has no words", remedy="give the words that the label stands on")
    for name in change.new:
        if name in retired:
            raise InvalidInput(f"{name!r} is retired", remedy="restore it first")


def resulting(project: Project, rows: Rows, change: LabelChange) -> Rows:
    """The label rows after a change.

    Args:
        project: Before it.
        rows: Of the project.
        change: Checked.
    """
    after = {name: dict(row) for name, row in rows.items()}
    position = max((row["position"] for row in rows.values()), default=-1) + 1
    if change.kind == "rename":
        renamed = dict(zip(change.old, change.new, strict=True))
        return {
            renamed.get(name, name): {**row, "name": renamed.get(name, name)} for name, row in after.items()
        }
    if change.kind == "merge":
        (into,) = change.new
        first = next(
            (after[name] for name in change.old if name == into), after.get(into, after[change.old[0]])
        )
        kept = {name: row for name, row in after.items() if name not in change.old and name != into}
        return _ordered({**kept, into: {**first, "name": into, "retired": False}})
    for label in missing_labels(project, change.new):
        row = {
            "name": label.name,
            "position": position,
            "color": label.color,
            "key": label.key,
            "description": "",
            "retired": False,
        }
        after[label.name] = row
        position += 1
    name = (*change.old, *change.new)[0]
    if change.kind == "split":
        if change.rest is None:
            after[name] |= {"retired": True, "key": None}
        elif change.rest != name:
            del after[name]
    elif change.kind == "retire":
        after[name] |= {"retired": True, "key": None}
    elif change.kind == "restore":
        (fresh,) = missing_labels(project, [f"{name}#"])
        after[name] |= {"retired": False, "key": fresh.key}
    after.get(name, {}).update(change.values)
    return after


def _ordered(rows: Rows) -> Rows:
    return dict(sorted(rows.items(), key=lambda item: item[1]["position"]))


def sentence(kind: str, what: Json) -> str:
    """A change in words, as the history shows it."""
    old, new = ", ".join(what.get("from", ())), ", ".join(what.get("to", ()))
    values = what.get("values", {})
    rest = what.get("rest")
    return {
        "add": f"added {new}",
        "rename": f"renamed {old} to {new}",
        "merge": f"merged {old} into {new}",
        "split": f"split {old} into {new or old}"
        + (", the rest to be decided again" if rest is None else ""),
        "recolour": f"gave {old} the colour {values.get('color')}",
        "describe": f"described {old}",
        "retire": f"retired {old}",
        "restore": f"restored {old}",
    }[kind]
