"""What to label next: preview a selection, make it a batch, watch the batches."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from workbench.acquisition import STRATEGIES, Strategy, strategies_for
from workbench.config import Settings
from workbench.domain import Batch, BatchItem, Example, Prediction, Project
from workbench.errors import Conflict, WrongState
from workbench.featurefiles import FeatureStore
from workbench.jobs.completion import base_features
from workbench.services.annotatorcost import logged_cost
from workbench.services.labelmaps import mapped_predictions, old_names, version_map
from workbench.services.orders import by_lot
from workbench.services.picking import Coverage, Embedded, Pick, Selection, chunk_sizes, fill, make_pick
from workbench.services.probes import mix
from workbench.services.ranking import Question, in_order, with_twins
from workbench.services.scoring import version_features
from workbench.services.selectionrules import check_chance, checked_strategy, find_sources, source_of
from workbench.storage.batches import NewItem
from workbench.storage.candidates import Filters
from workbench.storage.store import Store, Transaction

SEED = 13
AUDIT_SEED = 1_000_003
"""Added to the seed for the audit's lots, which must not be those of the strategy ``random``."""

ATTEMPTS = 3
"""How often a batch is chosen anew because somebody else took some of its examples meanwhile."""


class SelectionService:
    """Choose, keep and watch batches."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def strategies(self, project: Project) -> tuple[Strategy, ...]:
        """The strategies that serve the project's task type, the ones to try first at the front."""
        return strategies_for(project.task)

    def preview(
        self,
        project: Project,
        strategy: str,
        size: int,
        unit: str = "examples",
        *,
        seed: int = SEED,
        model_version: int | None = None,
        filters: Filters | None = None,
        keep_duplicates: bool = False,
        audit_share: float = 0.0,
        noise: float = 0.0,
        draw: int | None = None,
    ) -> Selection:
        """Choose examples from the pool, without keeping the choice.

        Never chosen are examples with gold or a live annotation, in a batch, or held by somebody; nor, unless
        ``keep_duplicates``, what repeats one that is labeled or in a batch word for word, or a better pick nearly
        so. The same call on the same pool chooses the same examples in the same order, until there is another batch.

        Args:
            project: The project.
            strategy: Name of a strategy that serves its task type.
            size: The budget.
            unit: ``examples``; ``words``: then examples are taken until their words reach the budget; ``seconds``:
                until the seconds do that an annotator will take for them, by what is logged of this project.
            seed: Of the random order.
            model_version: Whose scores and predictions to use; None takes the newest that scored the pool.
            filters: Narrow the choice.
            keep_duplicates: Let these in.
            audit_share: Share of the examples that is drawn by lot, 0..1, from all that may be selected: the
                filters don't apply to them. What the model does on these says how good it is on the pool, which
                examples that it was unsure of can't say.
            noise: Strength of Gumbel noise on the logarithms of a model's scores, 0 or more: 1 draws examples with
                chances proportional to their scores, so that a batch has fewer of one kind.
            draw: How many batches the noise is to suppose before this one; None takes those that there are.

        Raises:
            UnknownName: There is no such strategy.
            InvalidInput: It does not serve the task type, or the size, unit or share makes no sense.
            WrongState: It needs a model version's scores and there are none yet.
            NotFound: There is no such model version.
        """
        chosen = checked_strategy(project, strategy, size, unit)
        check_chance(chosen, audit_share, noise)
        filters = filters or Filters()
        with self._store.read() as tx:
            cost = logged_cost(tx, project)
            draw = tx.batches.last_number(project.id) if draw is None else draw
            sources = find_sources(tx, self._settings, project, chosen, model_version, filters)
            asked = filters
            if sources.version is not None and filters.label:
                mapping = version_map(tx, project, sources.version)
                asked = replace(filters, called=old_names(mapping, sources.version.labels, filters.label))
            question = Question(project, chosen, sources, asked, seed, draw, noise, size, unit, cost)
            lots = by_lot(tx, project.id, None, Filters(), seed + AUDIT_SEED, chunk_sizes(size, unit))
            filled = fill(
                in_order(tx, question),
                size,
                unit,
                keep_duplicates=keep_duplicates,
                lots=with_twins(tx, project, lots),
                audit_share=audit_share,
                cost=cost,
            )
        return Selection(
            strategy=strategy,
            size=size,
            unit=unit,
            seed=seed,
            model_version=sources.number,
            filters=filters,
            keep_duplicates=keep_duplicates,
            audit_share=audit_share,
            noise=noise,
            draw=draw,
            picks=tuple(
                make_pick(ranked, chosen, source_of(sources), seed, noise) for ranked in filled.picks
            ),
            words=filled.words,
            seconds=cost.seconds(len(filled.picks), filled.words),
            cost=cost,
            duplicates=filled.duplicates,
        )

    def create(
        self, project: Project, selection: Selection, user_id: int | None = None
    ) -> tuple[Batch, tuple[Pick, ...]]:
        """Make a selection a batch; every pick keeps why it was chosen.

        Where somebody took one of its examples since the preview, the selection is made anew by the same rules.

        Raises:
            WrongState: Nothing is left to select.
            Conflict: Others keep taking examples faster than this can choose.
        """
        for _ in range(ATTEMPTS):
            if not selection.picks:
                raise WrongState(
                    "no example of the pool is left to select",
                    remedy="import more, release a batch, or loosen the filters",
                )
            batch = self._keep(project, selection, user_id)
            if batch is not None:
                return batch, selection.picks
            selection = self.preview(
                project,
                selection.strategy,
                selection.size,
                selection.unit,
                seed=selection.seed,
                model_version=selection.model_version,
                filters=selection.filters,
                keep_duplicates=selection.keep_duplicates,
                audit_share=selection.audit_share,
                noise=selection.noise,
                draw=selection.draw,
            )
        raise Conflict("others select from this pool at the same time", remedy="try again")

    def batches(self, project: Project) -> tuple[Batch, ...]:
        """Every batch, the newest first, with how far it is."""
        with self._store.read() as tx:
            return tx.batches.all(project.id)

    def batch(self, project: Project, number: int) -> Batch:
        """The batch of that number. Raises NotFound."""
        with self._store.read() as tx:
            return tx.batches.by_number(project.id, number)

    def items(self, project: Project, number: int) -> tuple[BatchItem, ...]:
        """The items of a batch, in its order. Raises NotFound."""
        with self._store.read() as tx:
            return tx.batches.items(tx.batches.by_number(project.id, number).id)

    def release(self, project: Project, number: int, user_id: int | None = None) -> int:
        """Let the unlabeled items of a batch be selected again; how many there were. Raises NotFound."""
        with self._store.write() as tx:
            released = tx.batches.release(tx.batches.by_number(project.id, number).id)
            tx.users.audit(user_id, "batch.release", str(number), {"items": released}, project.id)
        return released

    def waiting(self, project: Project) -> int:
        """How many items of batches nobody has labeled yet."""
        with self._store.read() as tx:
            return tx.batches.open_count(project.id)

    def candidates(self, project: Project) -> int:
        """How many pool examples may be selected."""
        with self._store.read() as tx:
            return _free(tx, project)

    def pool_stamp(self, project: Project) -> tuple[str, int, int]:
        """Changes when examples are imported as the pool; cheap, for pages that keep what they counted."""
        with self._store.read() as tx:
            return self._store.url, project.id, tx.batches.candidates.last_position(project.id)

    def coverage(self, project: Project, strategy: str, model_version: int) -> Coverage:
        """How much of what may be selected the version has scored. Raises NotFound, UnknownName."""
        asked = STRATEGIES[strategy]
        with self._store.read() as tx:
            version = tx.models.by_number(project.id, model_version)
            if asked.reads and not version_features(self._settings, version):
                return Coverage(0, _free(tx, project))
            name = asked.scored_by
            if not name:
                scored = tx.models.scored(version.id)
                name = max(scored, key=lambda each: scored[each], default=strategy)
            taken, among = _taken(tx, project, version.id, name)
            found = tx.sizes.scored(project.id, version.id, name) - among
            return Coverage(found, tx.sizes.pool(project.id) - taken - found)

    def embedded(self, project: Project) -> Embedded:
        """What a base model has read of the project, for strategies of a cold start."""
        store = FeatureStore(base_features(self._settings, project.id))
        with self._store.read() as tx:
            unlabeled = tx.models.unlabeled_count(project.id)
        return Embedded(store.of, len(store.ids()), unlabeled)

    def scores(self, project: Project, strategy: str, model_version: int) -> list[float]:
        """Scores of the pool by a version, for a picture: evenly thinned out where there are very many."""
        with self._store.read() as tx:
            version = tx.models.by_number(project.id, model_version)
            values: list[float] = tx.models.score_values(version.id, strategy).tolist()
        return values

    def shown(
        self, project: Project, selection: Selection, limit: int = 50
    ) -> list[tuple[Example, Prediction | None]]:
        """The first picks as examples, with what the version predicts for them (None without one)."""
        ids = [pick.example_id for pick in selection.picks[:limit]]
        with self._store.read() as tx:
            found: dict[int, Prediction] = {}
            examples = tx.examples.by_ids(ids)
            if selection.model_version is not None:
                version = tx.models.by_number(project.id, selection.model_version)
                contents = {example.id: example.content for example in examples}
                found = mapped_predictions(tx, project, version, contents)
        return [(example, found.get(example.id)) for example in examples]

    def _keep(self, project: Project, selection: Selection, user_id: int | None) -> Batch | None:
        """The new batch, or None where one of the picks was taken meanwhile."""
        ids = [pick.example_id for pick in selection.picks]
        filters = selection.filters
        chosen_by = {"document": filters.document, "text": filters.text, "label": filters.label}
        parameters = {
            "seed": selection.seed,
            "filters": {name: value for name, value in chosen_by.items() if value},
            "keep_duplicates": selection.keep_duplicates,
            "audit_share": selection.audit_share,
            "noise": selection.noise,
            "draw": selection.draw,
            "words": selection.words,
            "seconds": round(selection.seconds, 1),
        }
        with self._store.write() as tx:
            tx.batches.lock(project.id)
            if len(tx.batches.candidates.still_free(ids)) < len(ids):
                return None
            version_id = None
            if selection.model_version is not None:
                version_id = tx.models.by_number(project.id, selection.model_version).id
            picked = [NewItem(pick.example_id, pick.score, pick.reason) for pick in selection.picks]
            return tx.batches.add(
                project.id,
                mix(tx, tx.projects.by_id(project.id), picked, selection.seed),
                strategy=selection.strategy,
                unit=selection.unit,
                size=selection.size,
                parameters=parameters,
                model_version_id=version_id,
                user_id=user_id,
            )


def _free(tx: Transaction, project: Project) -> int:
    """How many examples of the pool may be selected."""
    return tx.sizes.pool(project.id) - _taken(tx, project)[0]


def _taken(
    tx: Transaction, project: Project, version_id: int | None = None, strategy: str = ""
) -> tuple[int, int]:
    """How many examples of the pool may not be selected, and how many of those a version has scored by a strategy."""
    asked = (project.id, version_id, strategy)
    stamp = (tx.models.gold_stamp(), tx.sizes.stamp(project.id), tx.runs.last_finished(project.id))
    candidates = tx.batches.candidates
    accepted = tx.once(("accepted", *asked), stamp, partial(candidates.accepted, *asked))
    rest = candidates.taken_otherwise(*asked)
    return accepted[0] + rest[0], accepted[1] + rest[1]
