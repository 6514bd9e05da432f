"""Every version in one table: what it was made from, what changed, how good it is, and whether that can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.domain import Evaluation, GoldSet, Json, ModelVersion, Project, Split
from workbench.services.judging import as_split
from workbench.storage.snapshots import SnapshotChange
from workbench.storage.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class Leak:
    """What a version was trained on that it is measured on.

    Attributes:
        in_documents: Examples of the test set that stand in a document which it was trained on.
        same_text: Examples of the test set that it was trained on word for word (from whatever document).
        examples: Of the test set.
    """

    in_documents: int
    same_text: int
    examples: int

    @property
    def sentence(self) -> str | None:
        """What to say in red, or None."""
        if not self.in_documents:
            return None
        return (
            f"{self.in_documents:,} of the {self.examples:,} test examples stand in documents that it was trained "
            "on: its score is too high."
        )


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version.

    Attributes:
        version: The version.
        counts: Examples of its snapshot, by the split that they play.
        changed: What its snapshot has against that of the version before; None for the first.
        labels_added: Labels that it knows and the version before did not.
        labels_removed: The other way round.
        seconds: Training time, None where it is not known.
        device: What it was trained on.
        evaluation: The newest on the split.
        current: Whether that was on the gold labels of now.
        leak: Between its training data and what it was measured on; None where it was not measured.
    """

    version: ModelVersion
    counts: Json
    changed: SnapshotChange | None
    labels_added: tuple[str, ...]
    labels_removed: tuple[str, ...]
    seconds: float | None
    device: str | None
    evaluation: Evaluation | None
    current: bool
    leak: Leak | None

    @property
    def trained_on(self) -> int:
        """Examples that it has learned from."""
        return int(self.counts.get(Split.TRAIN, 0))

    @property
    def change_sentence(self) -> str:
        """What changed in the snapshot from the last: ``+200, 3 relabeled``."""
        if self.changed is None:
            return "the first"
        said = [
            text
            for number, text in (
                (self.changed.added, f"+{self.changed.added:,}"),
                (self.changed.removed, f"−{self.changed.removed:,}"),
                (self.changed.relabeled, f"{self.changed.relabeled:,} relabeled"),
            )
            if number
        ]
        said += [f"new label {name}" for name in self.labels_added]
        said += [f"without label {name}" for name in self.labels_removed]
        return ", ".join(said) or "same data"


class VersionService:
    """Read the table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def table(self, project: Project, split: Split | str | None) -> tuple[VersionRow, ...]:
        """Every version, by number, with its newest evaluation on a split (None: without any)."""
        wanted = None if split is None else as_split(split)
        with self._store.read() as tx:
            evaluations: Mapping[int, Evaluation] = {}
            sets: Mapping[int, GoldSet] = {}
            if wanted is not None:
                found = tx.models.evaluations(project.id, split=wanted)
                evaluations = {each.model_version: each for each in found}
                sets = {each.number: each for each in tx.models.gold_sets(project.id, wanted)}
            state = None if wanted is None else tx.models.gold_state(project.id, wanted)
            rows: list[VersionRow] = []
            before: ModelVersion | None = None
            for version in tx.models.versions(project.id):
                evaluation = evaluations.get(version.number)
                gold_set = sets.get(evaluation.gold_set or 0) if evaluation else None
                current = (
                    evaluation is not None
                    and gold_set is not None
                    and state is not None
                    and state.unchanged_since(evaluation.created_at, evaluation.examples)
                )
                rows.append(_row(tx, version, before, evaluation, current, gold_set))
                before = version
        return tuple(rows)

    def leak(self, version: ModelVersion, gold_set: GoldSet) -> Leak:
        """What a version was trained on of a gold set."""
        with self._store.read() as tx:
            return _leak(tx, version, gold_set)


def _row(
    tx: Transaction,
    version: ModelVersion,
    before: ModelVersion | None,
    evaluation: Evaluation | None,
    current: bool,
    gold_set: GoldSet | None,
) -> VersionRow:
    run = tx.runs.get(version.run_id)
    seconds = run.result.get("seconds")
    known = set(before.labels) if before else set(version.labels)
    return VersionRow(
        version=version,
        counts=tx.models.snapshot(version.snapshot_id).counts,
        changed=tx.models.snapshot_change(before.snapshot_id, version.snapshot_id) if before else None,
        labels_added=tuple(name for name in version.labels if name not in known),
        labels_removed=tuple(name for name in sorted(known) if name not in version.labels),
        seconds=float(seconds) if isinstance(seconds, (int, float)) else None,
        device=run.device or run.result.get("device"),
        evaluation=evaluation,
        current=current,
        leak=_leak(tx, version, gold_set) if gold_set else None,
    )


def _leak(tx: Transaction, version: ModelVersion, gold_set: GoldSet) -> Leak:
    in_documents, same_text = tx.models.shared(version.snapshot_id, gold_set.snapshot_id)
    return Leak(in_documents, same_text, gold_set.examples)
