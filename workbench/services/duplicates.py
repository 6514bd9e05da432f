"""What an import repeats, exactly or nearly: itself, what is stored, and across splits.

What is measured on must not have been learned from: an example of the test or validation split that also stands in
another split, word for word or nearly, is told before anything is written and in the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from workbench import minhash
from workbench.domain import Project, Split
from workbench.formats import Notice
from workbench.services.importing import Parsed
from workbench.services.importwatch import ImportWatch
from workbench.services.spool import Row
from workbench.storage.rows import chunks
from workbench.storage.sketches import Twin
from workbench.storage.store import Store, Transaction

TOGETHER = 8_192
"""Examples whose sketches are computed, and stored, at a time."""

SHOWN = 10
"""Examples that stand on both sides which a report lists."""

Stored = Mapping[str, frozenset[Split]]
"""Splits in which the project has a content, by its hash."""

HELD_OUT = frozenset({Split.TEST.value, Split.VALIDATION.value})


@dataclass(frozen=True, slots=True)
class Leak:
    """An example of a held-out split that also stands in another split.

    ``similarity`` is 1 for an exact duplicate, else the estimated share of word pairs in common.
    """

    split: str
    external_id: str
    text: str
    other_split: str
    other_id: str
    other_text: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found.

    Attributes:
        near: Examples of each file that nearly repeat another one, and repeat none exactly.
        notices: Warnings of what stands on both sides of an evaluation.
        leaks: The first of them.
        sketches: Of each file, shape (examples, 64), to be stored.
    """

    near: tuple[int, ...] = ()
    notices: tuple[Notice, ...] = ()
    leaks: tuple[Leak, ...] = ()
    sketches: tuple[NDArray[np.uint8], ...] = ()


@dataclass(slots=True)
class _Found:
    """Leaks as they are found: how many between which splits, exact ones and near ones, and the first."""

    exact: Counter[tuple[str, str]] = field(default_factory=Counter)
    near: Counter[tuple[str, str]] = field(default_factory=Counter)
    leaks: list[Leak] = field(default_factory=list)

    def notices(self) -> tuple[Notice, ...]:
        told = [
            f"{number:,} of these {split} examples also stand in {other}: "
            "scores on the one will flatter a model trained on the other"
            for (split, other), number in self.exact.items()
        ]
        told += [
            f"{number:,} {'more ' if self.exact else ''}of these {split} examples stand in {other} nearly word for word"
            for (split, other), number in self.near.items()
        ]
        return tuple(Notice(None, message) for message in told)


def compare(
    store: Store, project: Project, files: Sequence[Parsed], stored: Stored, watch: ImportWatch
) -> Compared:
    """Find what an import repeats nearly, and what stands on both sides of an evaluation.

    Args:
        store: The database.
        project: Where to.
        files: Read and checked, each example's split chosen.
        stored: Splits of the content hashes that the project has already.
        watch: Hears of the progress. Raises Cancelled.
    """
    rows = _Rows(files, watch)
    sketches = np.concatenate(rows.sketches)
    exact, near = _earlier_equal(rows.digests), minhash.earlier(sketches)
    found = _Found()
    _within(rows, exact, near, sketches, found)
    with store.read() as tx:
        twins = _stored_equal(stored, rows)
        _again(tx, project, rows, twins, found)
        old, positions = tx.sketches.all(project.id)
        among = minhash.among(sketches, old)
        candidates = [int(i) for i in np.flatnonzero(among >= 0) if int(i) not in twins and exact[i] < 0]
        at = tx.sketches.twins_at(project.id, [int(positions[among[index]]) for index in candidates])
    _against(rows, candidates, among, positions, at, (sketches, old), found)
    repeated = exact >= 0
    repeated[list(twins)] = True
    nearly = ((near >= 0) | (among >= 0)) & ~repeated
    bounds = np.cumsum([0, *(len(part) for part in rows.sketches)])
    return Compared(
        near=tuple(int(nearly[begin:end].sum()) for begin, end in pairwise(bounds)),
        notices=found.notices(),
        leaks=tuple(found.leaks[:SHOWN]),
        sketches=tuple(rows.sketches),
    )


class _Rows:
    """What of the rows of an import is held at once: sketches, digests, splits."""

    def __init__(self, files: Sequence[Parsed], watch: ImportWatch) -> None:
        self.files = files
        self.sketches: list[NDArray[np.uint8]] = []
        self.splits: list[str] = []
        digests: list[NDArray[np.uint64]] = []
        total, done = sum(len(parsed.rows) for parsed in files), 0
        for parsed in files:
            parts: list[NDArray[np.uint8]] = []
            for part in chunks(parsed.rows, TOGETHER):
                parts.append(sketch_rows(part))
                digests.append(np.array([_number(row.content_hash) for row in part], dtype=np.uint64))
                done += len(part)
                watch.comparing(done, total)
            self.sketches.append(np.concatenate(parts))
            self.splits += parsed.splits
        self.digests = np.concatenate(digests)

    def at(self, indexes: Iterable[int]) -> dict[int, Row]:
        """The rows at some places, read again."""
        wanted, found, at = set(indexes), {}, 0
        last = max(wanted, default=-1)
        for parsed in self.files:
            if at > last:
                break
            for row in parsed.rows:
                if at in wanted:
                    found[at] = row
                at += 1
        return dict(sorted(found.items()))


def sketch_rows(rows: Sequence[Row | Twin]) -> NDArray[np.uint8]:
    """Sketches of examples, shape (examples, 64): of sentences, or of questions on their contexts."""
    if rows and rows[0].question is not None:
        return minhash.sketch([row.question or "" for row in rows], [row.text for row in rows])
    return minhash.sketch([row.text for row in rows])


def _earlier_equal(digests: NDArray[np.uint64]) -> NDArray[np.int64]:
    """For each example the first one with the same content, -1 for that one itself."""
    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    found = first[inverse]
    return np.where(found == np.arange(len(digests)), -1, found)


def _stored_equal(stored: Stored, rows: _Rows) -> dict[int, list[str]]:
    """Splits of the stored examples with the same content, by the place of the first example that has it."""
    if not stored:
        return {}
    order = np.argsort(rows.digests, kind="stable")
    wanted = np.array([_number(digest) for digest in stored], dtype=np.uint64)
    places = order[np.searchsorted(rows.digests[order], wanted)]
    splits = ([split.value for split in found] for found in stored.values())
    return dict(sorted(zip(places.tolist(), splits, strict=True)))


def _again(
    tx: Transaction, project: Project, rows: _Rows, twins: Mapping[int, Sequence[str]], found: _Found
) -> None:
    """Leaks between an import and equal examples that are stored."""
    leaks = []
    for index, splits in twins.items():
        leaking = [split for split in splits if _leaks(rows.splits[index], split)]
        found.exact.update((rows.splits[index], split) for split in leaking)
        if leaking:
            leaks.append(index)
    shown = rows.at(leaks[:SHOWN])
    equal = tx.sketches.twins_of(project.id, [row.content_hash for row in shown.values()])
    for index, row in shown.items():
        split = rows.splits[index]
        other = next(twin for twin in equal[row.content_hash] if _leaks(split, twin.split))
        found.leaks.append(_leak(split, row, other, 1.0))


def _number(digest: str) -> int:
    return int(digest[:16], 16)


def _leaks(split: str, other: str) -> bool:
    return split != other and (split in HELD_OUT or other in HELD_OUT)


def _within(
    rows: _Rows,
    exact: NDArray[np.int64],
    near: NDArray[np.int64],
    sketches: NDArray[np.uint8],
    found: _Found,
) -> None:
    """Leaks between the splits of one import."""
    if len(set(rows.splits)) == 1:
        return
    for earlier, counter in ((exact, found.exact), (near, found.near)):
        leaks: list[tuple[int, int]] = []
        for index in np.flatnonzero(earlier >= 0):
            one, other = int(index), int(earlier[index])
            if (earlier is exact or exact[index] < 0) and _leaks(rows.splits[one], rows.splits[other]):
                if rows.splits[one] not in HELD_OUT:
                    one, other = other, one
                counter[rows.splits[one], rows.splits[other]] += 1
                leaks.append((one, other))
        leaks = leaks[:SHOWN]
        texts = rows.at(place for pair in leaks for place in pair)
        for one, other in leaks:
            similar = (
                float(minhash.resemblance(sketches[[one]], sketches[[other]])[0]) if earlier is near else 1.0
            )
            found.leaks.append(
                Leak(
                    rows.splits[one],
                    texts[one].external_id,
                    said(texts[one]),
                    rows.splits[other],
                    texts[other].external_id,
                    said(texts[other]),
                    round(similar, 2),
                )
            )


def _against(
    rows: _Rows,
    candidates: Sequence[int],
    among: NDArray[np.int64],
    positions: NDArray[np.int64],
    at: dict[int, Twin],
    sketches: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    found: _Found,
) -> None:
    """Leaks between an import and what nearly repeats it among the stored examples."""
    leaks = []
    for index in candidates:
        twin = at.get(int(positions[among[index]]))
        if twin is not None and _leaks(rows.splits[index], twin.split):
            found.near[rows.splits[index], twin.split] += 1
            leaks.append((index, twin))
    texts = rows.at(index for index, _ in leaks[:SHOWN])
    for index, twin in leaks[:SHOWN]:
        similar = minhash.resemblance(sketches[0][[index]], sketches[1][[among[index]]])[0]
        found.leaks.append(_leak(rows.splits[index], texts[index], twin, round(float(similar), 2)))


def _leak(split: str, row: Row, twin: Twin, similarity: float) -> Leak:
    return Leak(split, row.external_id, said(row), twin.split, twin.external_id, said(twin), similarity)


def said(row: Row | Twin) -> str:
    """What tells an example from others: its sentence, or its question."""
    return row.text if row.question is None else row.question
