"""Leaks: what a version was trained on that it is measured on."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.domain import GoldSet, ModelVersion
from workbench.storage.store import Transaction


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


def leak_of(tx: Transaction, version: ModelVersion, gold_set: GoldSet) -> Leak:
    """Between what a version was trained on and what it is measured on; neither changes once it is made."""
    in_documents, same_text = tx.models.shared(version.snapshot_id, gold_set.snapshot_id)
    return Leak(in_documents, same_text, gold_set.examples)
