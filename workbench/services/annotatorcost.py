"""What an example costs on a project: an annotator's seconds, from those that were logged."""

from __future__ import annotations

from workbench.domain import Project
from workbench.evidence.cost import Cost, fit_cost
from workbench.storage.store import Transaction


def logged_cost(tx: Transaction, project: Project) -> Cost:
    """Fitted to the newest answers of the project; assumed where too few have their seconds."""
    logged = tx.annotations.logged_seconds(project.id)
    return fit_cost([words for words, _ in logged], [seconds for _, seconds in logged])
