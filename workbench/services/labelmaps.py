"""Labels of yesterday under the names of today: for what older model versions, files and open pages say.

Nothing that a model predicted is rewritten when the label set changes. It is read through the changes made since
the model's data were frozen; those that were undone meanwhile are read backwards.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workbench.domain import ExampleText, ModelVersion, Payload, Prediction, Project
from workbench.storage.labelsets import ChangeRecord
from workbench.storage.store import Transaction
from workbench.tasks import get_task
from workbench.tasks.predictions import load_prediction
from workbench.tasks.relabel import Relabeling, relabel_prediction


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Changes that lie between two moments, in their order, and the labels that there are at the later one."""

    steps: tuple[Relabeling, ...]
    known: frozenset[str]

    def name(self, label: str, surface: str) -> str | None:
        """What a label on these words is called now; None where nobody has said, or there is no such label."""
        found: str | None = label
        for step in self.steps:
            if found is None:
                return None
            found = step.name(found, surface)
        return found if found in self.known else None

    def prediction(self, prediction: Prediction, content: ExampleText) -> Prediction:
        """A prediction under today's names; labels that are no more are left out."""
        return relabel_prediction(prediction, content, self.name)

    def payload(self, payload: Payload, content: ExampleText) -> Payload:
        """Labels under today's names."""
        return self.prediction(Prediction(payload, 1.0), content).payload

    def results(self, label: str) -> tuple[str, ...]:
        """Every label of today that may come of one of then."""
        found: tuple[str, ...] = (label,)
        for step in self.steps:
            found = tuple(dict.fromkeys(new for old in found for new in step.results(old)))
        return tuple(new for new in found if new in self.known)

    def origins(self, labels: Collection[str]) -> dict[str, tuple[str, ...]]:
        """The labels of then that became each label of today, where that is not simply itself."""
        found: dict[str, list[str]] = {}
        for old in labels:
            for new in self.results(old):
                found.setdefault(new, []).append(old)
        return {new: tuple(olds) for new, olds in found.items() if olds != [new]}


def rules_of(change: ChangeRecord) -> Relabeling | None:
    """What a change made of labels; None for one that touched no annotation."""
    old, new = list(change.labels.get("from", ())), list(change.labels.get("to", ()))
    if change.kind in ("rename", "merge"):
        return Relabeling(dict.fromkeys((name for name in old if name != new[0]), new[0]))
    if change.kind == "split":
        return Relabeling({old[0]: change.labels["rest"]}, {old[0]: dict(change.labels["surfaces"])})
    return None


def label_map(
    tx: Transaction, project: Project, since: datetime | None, known: Collection[str] = ()
) -> LabelMap:
    """From the names of that moment (None: of any earlier time) to those of now.

    Args:
        tx: Any block.
        project: As it is now.
        since: When the labels were given.
        known: Names that are right now; by default every label of the set, also retired ones.
    """
    events: list[tuple[datetime, Relabeling]] = []
    for change in tx.labelsets.history(project.id):
        rules = rules_of(change)
        if rules is None:
            continue
        made_since = since is None or change.created_at > since
        if change.undone_at is None:
            if made_since:
                events.append((change.created_at, rules))
        elif not made_since and since is not None and change.undone_at > since and change.kind == "rename":
            (old,), (new,) = change.labels["from"], change.labels["to"]
            events.append((change.undone_at, Relabeling({new: old})))
    events.sort(key=lambda event: event[0])
    names = frozenset(known or (label.name for label in project.labels))
    return LabelMap(tuple(rules for _, rules in events), names)


def version_map(
    tx: Transaction, project: Project, version: ModelVersion, known: Collection[str] = ()
) -> LabelMap | None:
    """From the labels of a version's data to those of now; None where they are the same."""
    found = label_map(tx, project, tx.models.snapshot(version.snapshot_id).created_at, known)
    if not found.steps and found.known.issuperset(version.labels):
        return None
    return found


def gold_map(tx: Transaction, project: Project, snapshot_id: int) -> LabelMap | None:
    """From the labels of a frozen snapshot to those of now; None where they are the same."""
    snapshot = tx.models.snapshot(snapshot_id)
    found = label_map(tx, project, snapshot.created_at)
    return found if found.steps else None


def mapped_predictions(
    tx: Transaction, project: Project, version: ModelVersion, contents: Mapping[int, ExampleText]
) -> dict[int, Prediction]:
    """What a version said of examples, under the names of now, by example id.

    Args:
        tx: Any block.
        project: As it is now.
        version: Of the project.
        contents: The examples' texts, by id.
    """
    task = get_task(project.task)
    found = tx.models.predictions(version.id, list(contents))
    mapping = version_map(tx, project, version)
    loaded = {example_id: load_prediction(task, stored) for example_id, stored in found.items()}
    if mapping is None:
        return loaded
    return {key: mapping.prediction(prediction, contents[key]) for key, prediction in loaded.items()}


def old_names(mapping: LabelMap | None, labels: Sequence[str], wanted: str) -> tuple[str, ...]:
    """Those of a version's labels that may be read as a label of now."""
    if mapping is None:
        return (wanted,)
    return tuple(label for label in labels if wanted in mapping.results(label)) or (wanted,)
