"""Which labeled examples a training run validates on, where a project has no split for that."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from workbench.domain import Split, is_partial
from workbench.storage.models import GoldRow

HELD_OUT = 0.1
"""Share of the examples that is held out for validation where a project has no validation split."""


def hold_out(
    rows: Sequence[GoldRow], seed: int, before: Mapping[int, Split] = MappingProxyType({})
) -> tuple[list[GoldRow], list[GoldRow], str]:
    """Split labeled examples into those to train and those to validate on.

    Whole documents are held out, in an order that the seed gives, until a tenth of the examples is: sentences of one
    document resemble each other, and a model should be measured on what it has not seen. A document that holds
    far more than that is passed over for a smaller one. Where all examples stand in one document, single ones
    are held out. Nothing can be measured on partial labels: they count for no document, and those of a document that
    is held out are left out altogether.

    Where a version is continued, what it has learned from would flatter the new one: held out are the documents that
    were so before, and of those that it does not know a tenth, for it is continued to learn from them.

    Args:
        rows: Labeled examples.
        seed: Of the order.
        before: What examples were to the version that is continued and to those behind it.

    Returns:
        Training rows, validation rows (both in the order given), and a sentence that says what was done.
    """
    fit = [row for row in rows if not is_partial(row.payload)]
    if len(fit) < 2:
        also = " that is not partial" if len(fit) < len(rows) else ""
        return (
            list(rows),
            [],
            f"There is {'one' if fit else 'no'} labeled example{also or ' only'}: nothing is held out, so there is no "
            "validation score.",
        )
    documents: dict[int, list[GoldRow]] = defaultdict(list)
    for row in fit:
        documents[row.document_id].append(row)
    whole = len(documents) > 1
    groups = list(documents.values()) if whole else [[row] for row in fit]
    random.Random(seed).shuffle(groups)
    wanted = max(1, round(len(fit) * HELD_OUT))
    if before:
        held = _not_learned(groups, wanted, before)
    else:
        held = _some(groups, wanted) or {row.example_id for row in min(groups, key=len)}
    if not held:
        return (
            list(rows),
            [],
            "The version that is continued has learned from what could be held out: there is no validation score. "
            "Labels in the validation split would give one.",
        )
    validation = [row for row in fit if row.example_id in held]
    closed = {row.document_id for row in validation} if whole else set()
    training = [row for row in rows if row.example_id not in held and row.document_id not in closed]
    places = len({row.document_id for row in validation})
    from_where = (
        f"{places} whole document{'s' if places > 1 else ''}"
        if whole
        else "one document, which is all there is"
    )
    note = (
        f"There is no labeled validation split: {len(validation)} of {len(rows)} examples ({from_where}) are held out "
        f"for validation by seed {seed}; {len(training)} are trained on."
    )
    dropped = len(rows) - len(training) - len(validation)
    if dropped:
        note += f" {dropped} with partial labels stand in the same documents and are left out."
    return training, validation, note


def _some(groups: Sequence[Sequence[GoldRow]], wanted: int) -> set[int]:
    """Examples of whole groups until there are so many; a group of far more is passed over for a smaller one."""
    held: set[int] = set()
    for group in groups:
        if len(held) >= wanted:
            break
        if len(held) + len(group) <= 2 * wanted:
            held.update(row.example_id for row in group)
    return held


def _not_learned(groups: Sequence[list[GoldRow]], wanted: int, before: Mapping[int, Split]) -> set[int]:
    """Examples to hold out where a version is continued; none where it has learned from all that could be."""
    roles = [{before.get(row.example_id) for row in group} for group in groups]
    pairs = list(zip(groups, roles, strict=True))
    kept = [group for group, seen in pairs if Split.VALIDATION in seen and Split.TRAIN not in seen]
    fresh = [group for group, seen in pairs if seen == {None}]
    held = _some(kept, wanted)
    more = min(wanted - len(held), round(sum(map(len, fresh)) * HELD_OUT))
    return held | _some(fresh, more) if more > 0 else held
