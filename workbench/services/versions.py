"""Every version in one table: what it was made from, what changed, how good it is, and whether that can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.domain import Evaluation, GoldSet, ModelVersion, Project, Split, is_partial
from workbench.services.judging import as_split
from workbench.services.leaks import warning_of
from workbench.storage.goldsets import GoldState
from workbench.storage.models import Training
from workbench.storage.snapshots import SnapshotChange
from workbench.storage.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version.

    Attributes:
        version: The version.
        before: The one before it, by number; None for the first.
        training: How it was trained.
        changed: What its snapshot has against that of the version before; None for the first.
        evaluations: On the split, oldest first.
        current: Whether the newest of them was on the gold labels of now.
        measurable: Whether it can be measured on those: it has its files, or has predicted every example before they
            were pruned.
    """

    version: ModelVersion
    before: ModelVersion | None
    training: Training
    changed: SnapshotChange | None
    evaluations: tuple[Evaluation, ...]
    current: bool
    measurable: bool = True

    @property
    def evaluation(self) -> Evaluation | None:
        """The newest on the split."""
        return self.evaluations[-1] if self.evaluations else None

    @property
    def warning(self) -> str | None:
        """What to say in red of the newest's score, or None."""
        return warning_of(self.evaluation)

    def evaluation_on(self, gold_set: int) -> Evaluation | None:
        """That on the frozen set of that number, or None."""
        return next((each for each in self.evaluations if each.gold_set == gold_set), None)

    @property
    def trained_on(self) -> int:
        """Examples that it has learned from."""
        return int(self.training.counts.get(Split.TRAIN, 0))

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
        known, knows = (each.labels if each else () for each in (self.before, self.version))
        said += [f"new label {name}" for name in knows if name not in known]
        said += [f"without label {name}" for name in sorted(known) if name not in knows]
        return ", ".join(said) or "same data"


@dataclass(frozen=True, slots=True)
class VersionTable:
    """Every version, by number, and the frozen sets of labels that the split has had, by number."""

    rows: tuple[VersionRow, ...]
    gold_sets: Mapping[int, GoldSet]


class VersionService:
    """Read the table.

    What changed between two snapshots is counted over all of their examples. No snapshot changes once it is made, so
    each pair is counted once in the life of the service.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changes: dict[tuple[int, int], SnapshotChange] = {}

    def table(self, project: Project, split: Split | str | None) -> VersionTable:
        """Every version, with its evaluations on a split (None: without any). Raises InvalidInput."""
        wanted = None if split is None else as_split(split)
        with self._store.read() as tx:
            versions = tx.models.versions(project.id)
            trainings = tx.models.trainings(project.id)
            sets: dict[int, GoldSet] = {}
            evaluations: dict[int, list[Evaluation]] = {}
            state = None
            if wanted is not None:
                sets = {each.number: each for each in tx.models.gold_sets(project.id, wanted)}
                for each in tx.models.evaluations(project.id, split=wanted):
                    evaluations.setdefault(each.model_version, []).append(each)
                state = tx.models.gold_states(project.id, wanted).get(wanted)
            rows = []
            for before, version in zip((None, *versions), versions, strict=False):
                made = tuple(evaluations.get(version.number, ()))
                rows.append(
                    VersionRow(
                        version,
                        before,
                        trainings[version.id],
                        self._change(tx, before, version) if before else None,
                        made,
                        state is not None and bool(made) and _holds(state, made[-1]),
                        not version.pruned or (wanted is not None and _said_all(tx, version, wanted)),
                    )
                )
        return VersionTable(tuple(rows), sets)

    def _change(self, tx: Transaction, before: ModelVersion, version: ModelVersion) -> SnapshotChange:
        pair = before.snapshot_id, version.snapshot_id
        if pair not in self._changes:
            self._changes[pair] = tx.models.snapshot_change(*pair)
        return self._changes[pair]


def _said_all(tx: Transaction, version: ModelVersion, split: Split) -> bool:
    """Whether the version has predicted every example of a split that it would be measured on."""
    rows = tx.models.gold_rows(version.project_id, (split,))
    ids = [row.example_id for row in rows if not is_partial(row.payload)]
    return bool(ids) and len(tx.models.predictions(version.id, ids)) == len(ids)


def _holds(state: GoldState, evaluation: Evaluation) -> bool:
    """Whether an evaluation was made on a frozen set of the gold labels of now."""
    return evaluation.gold_set is not None and state.unchanged_since(
        evaluation.created_at, evaluation.examples
    )
