"""What of a project stands on both sides of an evaluation, word for word or nearly: the Data page warns of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from workbench import minhash
from workbench.domain import Project
from workbench.services.duplicates import HELD_OUT, SHOWN, TOGETHER, Leak, said
from workbench.storage.rows import chunks
from workbench.storage.sketches import Twin
from workbench.storage.store import Store, Transaction


def fill_in(store: Store, project: Project) -> None:
    """Make the sketches of imports that have none, such as those from before there were any."""
    with store.read() as tx:
        missing = tx.sketches.missing(project.id)
    for import_id in missing:
        with store.read() as tx:
            rows = [
                (example.position, example.content.text, example.content.question)
                for example in tx.examples.iter_import(import_id)
            ]
        for part in chunks(rows, TOGETHER):
            texts = [text if question is None else question for _, text, question in part]
            contexts = [text for _, text, _ in part] if part[0][2] is not None else None
            data = minhash.sketch(texts, contexts)
            with store.write() as tx:
                for run in _runs([position for position, _, _ in part]):
                    tx.sketches.add(import_id, part[run.start][0], data[run.start : run.stop])


def _runs(positions: Sequence[int]) -> Iterable[range]:
    """Stretches of places whose positions follow each other."""
    start = 0
    for place in range(1, len(positions) + 1):
        if place == len(positions) or positions[place] != positions[place - 1] + 1:
            yield range(start, place)
            start = place


@dataclass(frozen=True, slots=True)
class Overlap:
    """What of a project stands on both sides of an evaluation.

    Attributes:
        exact: Different texts that stand in a held-out split and in another one, word for word.
        near: Examples of a held-out split that stand in another one nearly word for word.
        leaks: The first of them.
    """

    exact: int
    near: int
    leaks: tuple[Leak, ...]


def overlap(store: Store, project: Project, shown: int = SHOWN) -> Overlap:
    """Examples of the test and validation splits that also stand in another split; looked for once, until an example
    comes or changes its split."""
    fill_in(store, project)
    with store.read() as tx:
        asked = ("overlap", project.id, shown)
        return tx.once(asked, tx.sizes.stamp(project.id), partial(_search, tx, project, shown))


def _search(tx: Transaction, project: Project, shown: int) -> Overlap:
    hashes = list(tx.sketches.straddling(project.id))
    twins = tx.sketches.twins_of(project.id, hashes[:shown])
    near, sketches, positions = _near(tx, project)
    places = [int(positions[place]) for pair in near.items() for place in pair]
    at = tx.sketches.twins_at(project.id, places)
    leaks = [leak for group in twins.values() for leak in _first_leak(group)]
    nearly = [
        (at[int(positions[one])], at[int(positions[other])], one, other)
        for one, other in near.items()
        if at[int(positions[one])].content_hash != at[int(positions[other])].content_hash
    ]
    for one, other, first, second in nearly[: max(0, shown - len(leaks))]:
        similar = minhash.resemblance(sketches[[first]], sketches[[second]])[0]
        leaks.append(
            Leak(
                one.split, one.external_id, said(one), other.split, other.external_id, said(other),
                round(float(similar), 2),
            )
        )  # fmt: skip
    return Overlap(len(hashes), len(nearly), tuple(leaks))


def _near(tx: Transaction, project: Project) -> tuple[dict[int, int], NDArray[np.uint8], NDArray[np.int64]]:
    """Rows of held-out examples and of what each is nearly the same as; the sketches and positions of all rows."""
    sketches, positions = tx.sketches.all(project.id)
    known, splits = tx.sketches.splits(project.id)
    by_position = dict(zip(known.tolist(), splits, strict=True))
    of_rows = np.array([by_position.get(place, "") for place in positions.tolist()])
    held_out = np.isin(of_rows, sorted(HELD_OUT))
    near: dict[int, int] = {}
    for split in sorted(HELD_OUT):
        mine, others = (
            np.flatnonzero(of_rows == split),
            np.flatnonzero((of_rows != split) & (of_rows != "")),
        )
        hits = minhash.among(sketches[mine], sketches[others])
        pairs = ((int(mine[i]), int(others[hits[i]])) for i in np.flatnonzero(hits >= 0))
        near |= {one: other for one, other in pairs if not (held_out[other] and other in near)}
    return near, sketches, positions


def _first_leak(group: Sequence[Twin]) -> Iterable[Leak]:
    for one in group:
        for other in group:
            if one.split in HELD_OUT and other.split != one.split:
                yield Leak(
                    one.split, one.external_id, said(one), other.split, other.external_id, said(other), 1.0
                )
                return
