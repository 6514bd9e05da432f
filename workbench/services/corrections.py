"""Examples whose gold label a person doubts: put into a batch, to be labeled again like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.domain import Batch, Project
from workbench.errors import InvalidInput, WrongState
from workbench.storage.batches import CORRECTION, NewItem
from workbench.storage.store import Store

MOST = 1_000
"""Examples of one correction batch: more than anybody looks through by hand."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction batch, and how many of the examples waited in another one already."""

    batch: Batch
    waiting: int


class CorrectionService:
    """Make correction batches."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self,
        project: Project,
        example_ids: Sequence[int],
        why: str,
        *,
        model_version: int | None = None,
        whys: Mapping[int, str] | None = None,
        user_id: int | None = None,
    ) -> Correction:
        """An ordinary batch of these examples, in this order, whatever their split.

        An item of it counts as done when somebody has said something newer than the batch. Gold then follows as always,
        and a split that was measured becomes another gold set at its next measurement.

        Args:
            project: The project.
            example_ids: At most ``MOST``.
            why: Shown to the annotator.
            model_version: Number of the version whose mistakes these are.
            whys: What to say of single examples in place of ``why``, by id.
            user_id: Who asks.

        Raises:
            InvalidInput: There is no example, there are too many, or one is not of the project.
            WrongState: All of them wait in correction batches already.
        """
        wanted = list(dict.fromkeys(example_ids))
        if not 0 < len(wanted) <= MOST:
            raise InvalidInput(
                f"{len(wanted):,} examples can't be put into a batch", remedy=f"choose 1 to {MOST:,} of them"
            )
        with self._store.write() as tx:
            found = [each.id for each in tx.examples.by_ids(wanted) if each.project_id == project.id]
            if len(found) != len(wanted):
                raise InvalidInput(
                    f"{len(wanted) - len(found)} of these examples are not of {project.name}",
                    remedy="choose examples of the project",
                )
            tx.batches.lock(project.id)
            open_ids = {item.example_id for item in tx.batches.open_items(project.id)}
            chosen = [example_id for example_id in wanted if example_id not in open_ids]
            if not chosen:
                raise WrongState("all of these wait in a batch already", remedy="label that one first")
            version_id = None
            said_of = whys or {}
            if model_version is not None:
                version_id = tx.models.by_number(project.id, model_version).id
            batch = tx.batches.add(
                project.id,
                [
                    NewItem(key, None, {"strategy": CORRECTION, "why": said_of.get(key, why)})
                    for key in chosen
                ],
                strategy=CORRECTION,
                unit="examples",
                size=len(chosen),
                parameters={"why": why},
                model_version_id=version_id,
                user_id=user_id,
            )
            said = {"items": len(chosen), "why": why}
            tx.users.audit(user_id, "batch.correction", str(batch.number), said, project.id)
        return Correction(batch, len(wanted) - len(chosen))
