"""Change a label set, its annotations with it, in one step that can be undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from workbench.domain import Project, Role, Spans, Tags
from workbench.errors import InvalidInput, NotFound, WrongState
from workbench.services.labelchanges import LabelChange, Rows, check, resulting, sentence
from workbench.services.labelmaps import rules_of
from workbench.services.relabeling import Effect, plan, plan_undo
from workbench.storage.batches import NewItem
from workbench.storage.labelsets import ChangeRecord
from workbench.storage.store import Store, Transaction
from workbench.tasks import get_task
from workbench.tasks.relabel import Relabeling, folded

SYSTEM = "label changes"
"""System user of revisions that no annotator's stand for: gold that a reviewer chose among older ones."""

BATCH = "labels"
"""Strategy of a batch of examples whose labels are to be decided again."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change or an undo did, or would do. ``batch`` is the number of the batch to be decided again."""

    number: int
    sentence: str
    effect: Effect
    batch: int | None = None
    kept_labels: tuple[str, ...] = ()


class LabelSetService:
    """Add, rename, merge, split, recolour, describe, retire labels; undo; history."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def uses(self, project: Project) -> Counter[str]:
        """How often the accepted annotations use each label."""
        task = get_task(project.task)
        found: Counter[str] = Counter()
        with self._store.read() as tx:
            for _, _, _, payload in tx.annotations.gold_payloads(project.id):
                found.update(task.labels_in(task.load(payload)))
        return found

    def stamp(self, project: Project) -> tuple[int, int]:
        """Changes when an annotation is saved or the label set changes: for pages that keep what they counted."""
        with self._store.read() as tx:
            return tx.labelsets.last_annotation(), len(tx.labelsets.history(project.id))

    def surfaces(self, project: Project, label: str) -> Counter[str]:
        """The words that a label stands on in accepted annotations, as rules of a split compare them."""
        task = get_task(project.task)
        found: Counter[str] = Counter()
        with self._store.read() as tx:
            payloads = {
                example_id: task.load(payload)
                for example_id, _, _, payload in tx.annotations.gold_payloads(project.id)
                if label in task.labels_in(task.load(payload))
            }
            for example in tx.examples.by_ids(list(payloads)):
                payload, content = payloads[example.id], example.content
                if isinstance(payload, Spans):
                    spans = (span for span in payload.spans if span.label == label)
                    found.update(folded(content.text[span.start : span.end]) for span in spans)
                elif isinstance(payload, Tags):
                    pairs = zip(content.words, payload.tags, strict=True)
                    found.update(folded(word) for word, tag in pairs if tag == label)
        return found

    def history(self, project: Project) -> tuple[ChangeRecord, ...]:
        """Every change, oldest first."""
        with self._store.read() as tx:
            return tx.labelsets.history(project.id)

    def preview(self, project: Project, change: LabelChange) -> Changed:
        """What a change would do; nothing is written. Raises as ``apply``."""
        with self._store.read() as tx:
            project = tx.projects.by_id(project.id)
            _check(project, change)
            effect = Effect()
            rules = _rules(change)
            if rules is not None:
                for part in plan(tx, project, rules, system_id=0):
                    effect += part.effect
            number = len(tx.labelsets.history(project.id)) + 1
        return Changed(number, sentence(change.kind, change.stored()), effect)

    def apply(self, project: Project, change: LabelChange, user_id: int | None = None) -> Changed:
        """Carry a change out: the label set, every annotation and the gold, all or nothing.

        Raises:
            NotFound: There is no such label.
            AlreadyExists: A name is taken.
            InvalidInput: The change makes no sense.
            WrongState: An import is being written into the project.
        """
        with self._store.write() as tx:
            project = _locked(tx, project)
            _check(project, change)
            before = _rows(tx, project)
            after = resulting(project, before, change)
            touched = [dict(row) for name, row in before.items() if name in (*change.old, *change.new)]
            change_id = tx.labelsets.add_change(project.id, change.kind, change.stored(), touched, user_id)
            effect, again = _rewrite(tx, project, change_id, _rules(change), undoes=False)
            _put(tx, project, before, after)
            batch = _batch(tx, project, change, again, user_id)
            tx.labelsets.complete(change_id, asdict(effect), batch[0] if batch else None)
            record = tx.labelsets.change(change_id)
            said = sentence(change.kind, change.stored())
            tx.users.audit(user_id, f"labels.{change.kind}", said, asdict(effect), project.id)
        return Changed(record.number, said, effect, batch[1] if batch else None)

    def undo_preview(self, project: Project) -> Changed:
        """What undoing the newest change would do. Raises as ``undo``."""
        with self._store.read() as tx:
            record = _newest(tx, project)
            effect = sum((part.effect for part, _ in plan_undo(tx, record.id)), Effect())
        return Changed(record.number, f"undo: {sentence(record.kind, record.labels)}", effect)

    def undo(self, project: Project, user_id: int | None = None, number: int | None = None) -> Changed:
        """Put back what stood before the newest change that is not undone.

        An annotation that nobody has touched since stands again as it stood, and so does gold. What a person has
        said since stays: under the old name where a label was renamed, as it is where labels were merged or split;
        the labels that it uses then stay in the set.

        Args:
            project: The project.
            user_id: Who undoes.
            number: Of the change, where one is meant; an older one is refused.

        Raises:
            NotFound: There is nothing to undo.
            WrongState: Newer changes have to be undone first, or an import is being written.
        """
        with self._store.write() as tx:
            project = _locked(tx, project)
            record = _newest(tx, project, number)
            if record.batch_id is not None:
                tx.batches.release(record.batch_id)
            effect = _put_back(tx, record)
            if record.kind == "rename":
                (old,), (new,) = record.labels["from"], record.labels["to"]
                effect += _rewrite(tx, project, record.id, Relabeling({new: old}), undoes=True)[0]
            kept = _restore_labels(tx, project, record)
            tx.labelsets.set_undone(record.id)
            said = f"undo: {sentence(record.kind, record.labels)}"
            tx.users.audit(user_id, "labels.undo", said, asdict(effect), project.id)
        return Changed(record.number, said, effect, kept_labels=kept)


# --- how --------------------------------------------------------------------------------------------


def _rules(change: LabelChange) -> Relabeling | None:
    if change.kind in ("rename", "merge"):
        return Relabeling({name: change.new[0] for name in change.old if name != change.new[0]})
    if change.kind == "split":
        surfaces = {folded(words): name for words, name in change.surfaces.items()}
        return Relabeling({change.old[0]: change.rest}, {change.old[0]: surfaces})
    return None


def _check(project: Project, change: LabelChange) -> None:
    if not get_task(project.task).model_labels(("X",)):
        raise InvalidInput(
            f"{project.name} answers questions and has no labels", remedy="choose a project with a label set"
        )
    check(project, change)


def _locked(tx: Transaction, project: Project) -> Project:
    """The project as it is, nobody else saving into it until the block ends."""
    tx.labelsets.lock(project.id)
    if tx.loads.of(project.id) is not None:
        raise WrongState(
            "an import into this project is being written", remedy="change the labels when it is done"
        )
    return tx.projects.by_id(project.id)


def _rows(tx: Transaction, project: Project) -> Rows:
    return {row["name"]: row for row in tx.labelsets.rows(project.id)}


def _rewrite(
    tx: Transaction, project: Project, change_id: int, rules: Relabeling | None, *, undoes: bool
) -> tuple[Effect, list[int]]:
    """Write every annotation anew that a change concerns; its effect, and the examples to be decided again."""
    effect = Effect()
    again: list[int] = []
    if rules is not None:
        system = tx.users.find_or_add(SYSTEM, Role.ANNOTATOR, system=True)
        for part in plan(tx, project, rules, system.id):
            tx.labelsets.replace(change_id, part.rows, undoes=undoes)
            tx.labelsets.clear_gold(part.again)
            effect += part.effect
            again += part.again
    return effect, again


def _put(tx: Transaction, project: Project, before: Rows, after: Rows) -> None:
    """Make the label rows what they are after a change; rows are told by their position, which no change moves."""
    places = {row["position"]: name for name, row in before.items()}
    for name in before:
        if name not in after and before[name]["position"] not in {row["position"] for row in after.values()}:
            tx.labelsets.remove(project.id, name)
    for name, row in after.items():
        named = places.get(row["position"], name)
        if before.get(named) != row:
            tx.labelsets.put(project.id, row, named=named)


def _batch(
    tx: Transaction, project: Project, change: LabelChange, again: Sequence[int], user_id: int | None
) -> tuple[int, int] | None:
    """Id and number of the batch of examples to be decided again; None where there are none."""
    if not again:
        return None
    reason = {"strategy": BATCH, "label": change.old[0]}
    batch = tx.batches.add(
        project.id,
        [NewItem(example_id, None, reason) for example_id in again],
        strategy=BATCH,
        unit="examples",
        size=len(again),
        parameters={"label": change.old[0], "into": list(change.new)},
        user_id=user_id,
    )
    return batch.id, batch.number


def _newest(tx: Transaction, project: Project, number: int | None = None) -> ChangeRecord:
    open_changes = [record for record in tx.labelsets.history(project.id) if record.undone_at is None]
    if not open_changes:
        raise NotFound(f"{project.name} has no change of labels to undo")
    newest = open_changes[-1]
    if number is not None and number != newest.number:
        if number not in {record.number for record in open_changes}:
            raise NotFound(
                f"there is no change {number} to undo", remedy="look at `workbench labels history`"
            )
        raise WrongState(
            f"change {newest.number} ({sentence(newest.kind, newest.labels)}) came after it",
            remedy="undo the newer changes first, the newest one before the others",
        )
    return newest


def _put_back(tx: Transaction, record: ChangeRecord) -> Effect:
    effect = Effect()
    for part, back in plan_undo(tx, record.id):
        new = tx.labelsets.replace(record.id, part.rows, undoes=True)
        without = tx.labelsets.without_gold([written.example_id for written in back])
        tx.labelsets.give_gold(
            (written.example_id, new[row.replaced.id], written.accepted_by)
            for row, written in zip(part.rows, back, strict=True)
            if written.gold and written.example_id in without
        )
        effect += part.effect
    return effect


def _restore_labels(tx: Transaction, project: Project, record: ChangeRecord) -> tuple[str, ...]:
    """Put the label rows back; names of labels that the change made and that stay because they are used."""
    rows = _rows(tx, project)
    before = {row["name"]: dict(row) for row in record.before}
    made = [name for name in record.labels["to"] if name not in before]
    kept = [name for name in made if name in rows and _is_used(tx, project, name)]
    for name in made:
        if name in rows and name not in kept:
            tx.labelsets.remove(project.id, name)
    rows = _rows(tx, project)
    places = {row["position"] for name, row in rows.items() if name not in before}
    for name, row in before.items():
        keys = {other["key"] for key, other in rows.items() if key != name}
        if row["key"] in keys:
            row["key"] = None
        if name not in rows and row["position"] in places:
            row["position"] = max(other["position"] for other in rows.values()) + 1
        tx.labelsets.put(project.id, row)
        rows[name] = row
    return tuple(kept)


def _is_used(tx: Transaction, project: Project, name: str) -> bool:
    rules = Relabeling({name: None})
    return any(part.effect.undecided for part in plan(tx, project, rules, system_id=0))


__all__ = ["BATCH", "Changed", "LabelSetService", "rules_of"]
