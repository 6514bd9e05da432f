"""What may be asked of a selection, and whose scores answer it."""

from __future__ import annotations

from workbench.acquisition import STRATEGIES, Strategy, strategies_for
from workbench.domain import ModelVersion, Project
from workbench.errors import InvalidInput, WrongState
from workbench.storage.candidates import Filters
from workbench.storage.store import Transaction

UNITS = ("examples", "words", "seconds")
MOST_NOISE = 100.0
"""Under more than that nothing of the scores is left."""


def checked_strategy(project: Project, name: str, size: int, unit: str) -> Strategy:
    """The strategy of that name, where it serves the task type and the budget makes sense. Raises InvalidInput."""
    strategy = STRATEGIES[name]
    if project.task not in strategy.tasks:
        names = ", ".join(known.name for known in strategies_for(project.task))
        raise InvalidInput(
            f"the strategy {name!r} does not serve {project.task} projects", remedy=f"choose from {names}"
        )
    if unit not in UNITS:
        raise InvalidInput(f"{unit!r} is not a unit", remedy=f"choose from {', '.join(UNITS)}")
    if size < 1:
        raise InvalidInput(f"a batch of {size} {unit} can't be made", remedy="give a size of 1 or more")
    return strategy


def check_chance(strategy: Strategy, audit_share: float, noise: float) -> None:
    """Whether what is left to chance makes sense. Raises InvalidInput."""
    if not 0 <= audit_share <= 1:
        raise InvalidInput(f"an audit share of {audit_share} can't be", remedy="give a share from 0 to 1")
    if not 0 <= noise <= MOST_NOISE:
        raise InvalidInput(f"noise of {noise} can't be", remedy=f"give a strength from 0 to {MOST_NOISE}")
    if noise and not strategy.needs_model:
        raise InvalidInput(
            f"the strategy {strategy.name!r} has no scores to put noise on", remedy="leave the noise out"
        )


def scored_version(
    tx: Transaction, project: Project, strategy: Strategy, number: int | None, filters: Filters
) -> ModelVersion | None:
    """The version whose scores and predictions are read, None where none is needed. Raises WrongState, NotFound."""
    if not strategy.needs_model and not filters.label:
        return None
    what = f"the strategy {strategy.name!r}" if strategy.needs_model else "a filter by predicted label"
    versions = (
        [tx.models.by_number(project.id, number)]
        if number is not None
        else [version for version in reversed(tx.models.versions(project.id)) if not version.archived_at]
    )
    if not versions:
        raise WrongState(
            f"{what} needs a model version, and there is none yet",
            remedy=f"select a first batch by `random` and train: workbench train {project.name}",
        )
    for version in versions:
        scored = tx.models.scored(version.id)
        if scored.get(strategy.name, 0) if strategy.needs_model else scored:
            return version
    newest = versions[0].number
    raise WrongState(
        f"{what} needs the pool scored, and model version {newest} has not done so",
        remedy=f"score the pool first: workbench score {project.name} --model-version {newest}",
    )
