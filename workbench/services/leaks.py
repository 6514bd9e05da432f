"""Leaks: what a version was trained on that it is measured on.

Neither the data of a training nor a gold set changes once it is made, so a leak is counted when a version is measured
and kept with the evaluation: whoever shows its score can say so, without another look at the data.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.domain import Evaluation, GoldSet, ModelVersion
from workbench.storage.store import Transaction


@dataclass(frozen=True, slots=True)
class Leak:
    """What a version was trained on that it is measured on.

    Attributes:
        in_documents: Examples of the set that stand in a document which it was trained on.
        same_text: Examples of the set that it was trained on word for word (from whatever document).
        examples: Of the set.
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
            f"{self.in_documents:,} of the {self.examples:,} examples that it was measured on stand in documents that "
            "it was trained on: its score is too high."
        )


def leak_of(tx: Transaction, version: ModelVersion, gold_set: GoldSet) -> Leak:
    """Count what a version was trained on of a gold set."""
    in_documents, same_text = tx.models.shared(version.snapshot_id, gold_set.snapshot_id)
    return Leak(in_documents, same_text, gold_set.examples)


def kept(leak: Leak) -> dict[str, int]:
    """What is kept of it with the metrics, under ``leak``."""
    return {"in_documents": leak.in_documents, "same_text": leak.same_text}


def leak_in(evaluation: Evaluation) -> Leak | None:
    """What was kept with an evaluation; None where it is older than that."""
    found = evaluation.metrics.get("leak")
    return Leak(found["in_documents"], found["same_text"], evaluation.examples) if found else None


def warning_of(evaluation: Evaluation | None) -> str | None:
    """What to say in red of its score, or None."""
    leak = leak_in(evaluation) if evaluation else None
    return leak.sentence if leak else None
