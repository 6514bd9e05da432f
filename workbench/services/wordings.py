"""Questions as gold words them: what models said of another wording is not kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workbench.domain import Project
from workbench.storage.store import Transaction


@contextmanager
def wordings(tx: Transaction, project: Project, example_ids: Sequence[int]) -> Iterator[None]:
    """Around what may change gold: predictions go that answer a question which is worded otherwise afterwards."""
    if project.task != "qa":
        yield
        return
    before = _questions(tx, example_ids)
    yield
    after = _questions(tx, example_ids)
    for example_id in example_ids:
        if before.get(example_id) != after.get(example_id):
            tx.models.forget_predictions(example_id)


def _questions(tx: Transaction, example_ids: Sequence[int]) -> dict[int, str | None]:
    found = tx.annotations.gold_of(list(example_ids))
    return {one: getattr(said.payload, "question", None) for one, (said, _) in found.items()}
