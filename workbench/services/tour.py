"""The guided first round on a sample project: five stops, each done once the database shows it.

Nothing is clicked away: a stop is done by what was made at it (a batch, labels, a version, a measurement, an export),
whoever made it and on whichever page, or on the command line. Only that a person has left the tour is stored, with the
project's settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.domain import Project, User
from workbench.services.overview import NextStep, Overview, Stage, overview
from workbench.services.samples import GUIDELINES, sample_name
from workbench.storage.store import Store, Transaction

ENOUGH_LABELS = 10
LEFT = "tour_left"
"""In a project's settings: ids of those who have left the tour."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One of the five.

    Attributes:
        stage: The step of the loop, and with it the page.
        title: What to do, in a few words.
        how: What to do there, and why.
        done: Whether the database shows that it was done.
        far: How far it is where that can be counted, else empty.
    """

    stage: Stage
    title: str
    how: str
    done: bool
    far: str = ""


@dataclass(frozen=True, slots=True)
class Tour:
    """Where a person's tour of a project stands.

    Attributes:
        stops: In their order.
        left: Whether the person has left it.
    """

    stops: tuple[Stop, ...]
    left: bool

    @property
    def current(self) -> Stop | None:
        """The first stop that is not done; None after the last."""
        return next((stop for stop in self.stops if not stop.done), None)

    @property
    def number(self) -> int:
        """Of the current stop, counted from 1; that of the last after the last."""
        return self.stops.index(self.current) + 1 if self.current else len(self.stops)

    @property
    def next_step(self) -> NextStep | None:
        """The current stop as the loop's next step; None where the tour was left or is at its end."""
        stop = self.current
        return None if stop is None or self.left else NextStep(stop.stage, stop.title, stop.how)


class TourService:
    """Follow, leave and take up the guided round."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, project: Project, *, user: User) -> Tour | None:
        """The person's tour of the project; None where the project is no sample."""
        if project.name not in map(sample_name, GUIDELINES):
            return None
        now = overview(self._store, project)
        with self._store.read() as tx:
            exported = _exported(tx, project)
            left = user.id in _left(tx.projects.by_id(project.id))
        return Tour(stops(now, exported=exported), left)

    def leave(self, project: Project, *, user: User) -> None:
        """Don't show it to the person any more."""
        self._set(project, user, left=True)

    def resume(self, project: Project, *, user: User) -> None:
        """Show it to the person again, at the first stop that is not done."""
        self._set(project, user, left=False)

    def _set(self, project: Project, user: User, *, left: bool) -> None:
        with self._store.write() as tx:
            now = tx.projects.alone(project.id)
            others = [one for one in _left(now) if one != user.id]
            people = [*others, user.id] if left else others
            tx.projects.set_settings(project.id, {**now.settings, LEFT: people})


def stops(now: Overview, *, exported: bool) -> tuple[Stop, ...]:
    """The five stops, as an overview and the audit log show them."""
    asked = any(batch.model_version is not None for batch in now.batches)
    labeled = min(now.learnable, ENOUGH_LABELS)
    measured = bool(now.evaluations)
    return (
        Stop(
            Stage.SELECT,
            "Choose what to label",
            "There is no model yet that could ask, so the first batch is drawn by lot: keep *Random* and create it.",
            bool(now.batches) or now.learnable >= ENOUGH_LABELS,
        ),
        Stop(
            Stage.LABEL,
            "Label ten examples",
            "Mark words with the arrow keys and Shift, or the mouse; press the label's key, then Enter. "
            "These are what the model learns from.",
            now.learnable >= ENOUGH_LABELS,
            f"{labeled} of {ENOUGH_LABELS}",
        ),
        Stop(
            Stage.TRAIN,
            "Train the first version",
            "Choose *Quick* and press Train: a minute or two. Ten examples make a poor model, but one that can ask.",
            bool(now.versions),
        ),
        Stop(
            Stage.SELECT,
            "Let the model ask",
            "Choose a strategy other than *Random*, score the pool and create a batch: the model picks what puzzles "
            "it most, and that teaches it most.",
            asked,
        ),
        Stop(
            Stage.EXPORT if measured else Stage.COMPARE,
            "Take it with you" if measured else "See how good it is",
            "Export the version: a folder that `transformers` loads. Or go round once more first, it gets better."
            if measured
            else "Measure the version on the test split, which it has not learned from; then export it.",
            measured and exported,
        ),
    )


def _left(project: Project) -> Sequence[int]:
    found: Sequence[int] = project.settings.get(LEFT, ())
    return found


def _exported(tx: Transaction, project: Project) -> bool:
    subjects = tx.users.audited(project.id, ["export"])
    return any(subject.startswith("model version") for subject in subjects)
