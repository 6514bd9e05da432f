"""What may be asked of a selection, and whose scores answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.acquisition import STRATEGIES, Strategy, strategies_for
from workbench.config import Settings
from workbench.domain import ModelVersion, Project
from workbench.errors import InvalidInput, WrongState
from workbench.featurefiles import FeatureStore
from workbench.jobs.completion import base_features
from workbench.services.models import refuse_pruned
from workbench.services.scoring import version_features
from workbench.storage.candidates import Filters
from workbench.storage.store import Transaction

UNITS = ("examples", "words", "seconds")
MOST_NOISE = 100.0
"""Under more than that nothing of the scores is left."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a selection reads: a version's scores and predictions, and features of it or of a base model."""

    version: ModelVersion | None = None
    features: FeatureStore | None = None

    @property
    def number(self) -> int | None:
        """Of the version."""
        return self.version.number if self.version else None


def source_of(sources: Sources) -> dict[str, Any]:
    """What a pick's reason says of where it comes from."""
    if sources.version is not None:
        return {"model_version": sources.version.number}
    return {"base_model": sources.features.of} if sources.features is not None else {}


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
    if noise and (strategy.choose or not strategy.scored_by):
        raise InvalidInput(
            f"the strategy {strategy.name!r} has no scores to put noise on", remedy="leave the noise out"
        )


def find_sources(
    tx: Transaction,
    settings: Settings,
    project: Project,
    strategy: Strategy,
    number: int | None,
    filters: Filters,
) -> Sources:
    """What the strategy and the filters read.

    Args:
        tx: A reading transaction.
        settings: Say where features lie.
        project: The project.
        strategy: The strategy.
        number: Of the version that is asked for; None takes the newest that has scored the pool.
        filters: One by predicted label needs a version too.

    Raises:
        WrongState: There is no such version, or it has not scored the pool; or nobody has read it.
        ModelUnavailable: The version's features were pruned.
        NotFound: There is no version of that number.
    """
    if strategy.reads and not strategy.needs_model and number is None and not filters.label:
        return _embedded(tx, settings, project, strategy)
    if not strategy.needs_model and not filters.label and not strategy.reads:
        return Sources()
    version = _scored_version(tx, settings, project, strategy, number)
    return Sources(version, version_features(settings, version) if strategy.reads else None)


def _embedded(tx: Transaction, settings: Settings, project: Project, strategy: Strategy) -> Sources:
    """The embeddings of the newest version that has any, or else of the base model."""
    for version in reversed(tx.models.versions(project.id)):
        store = version_features(settings, version) if not version.archived_at else None
        if store:
            return Sources(version, store)
    store = FeatureStore(base_features(settings, project.id))
    if not store:
        raise WrongState(
            f"the strategy {strategy.name!r} needs embeddings of the pool, and nothing has read it yet",
            remedy=f"have the base model read it: workbench embed {project.name}",
        )
    return Sources(None, store)


def _scored_version(
    tx: Transaction, settings: Settings, project: Project, strategy: Strategy, number: int | None
) -> ModelVersion:
    reads = strategy.needs_model or bool(strategy.reads)
    what = f"the strategy {strategy.name!r}" if reads else "a filter by predicted label"
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
        there = tx.models.has_scored(version.id, strategy.scored_by or None)
        if there and (not strategy.reads or version_features(settings, version)):
            return version
    if number is not None and strategy.reads:
        refuse_pruned(versions[0])
    newest = next((version for version in versions if not version.pruned), versions[0]).number
    raise WrongState(
        f"{what} needs the pool scored, and model version {newest} has not done so",
        remedy=f"score the pool first: workbench score {project.name} --model-version {newest}",
    )
