"""Simulations: what each strategy would have been worth on data that is labeled already."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from workbench.acquisition import strategies_for
from workbench.config import Settings
from workbench.domain import Json, Project, Run, RunKind, Split, TrainParameters, is_partial
from workbench.errors import InvalidInput
from workbench.evidence.cost import Cost
from workbench.evidence.points import POINTS, read_points
from workbench.evidence.replay import summarise
from workbench.jobs.attempt import AttemptFolder
from workbench.jobs.completion import FINISHERS
from workbench.services.annotation_files import kept_aside
from workbench.services.annotatorcost import logged_cost
from workbench.services.importing import count_words
from workbench.services.judging import as_split
from workbench.services.picking import near_key
from workbench.services.runs import RunService
from workbench.services.scoring import check_precision
from workbench.services.snapshots import in_context, write_examples
from workbench.services.training import check_base_model, check_context, check_parameters
from workbench.storage.models import SnapshotRow
from workbench.storage.rows import chunks
from workbench.storage.store import Store
from workbench.tasks import AnswerTask, get_task

YARDSTICK = "random"
MOST_POINTS = 5_000
PAGE = 2_000
LOT = 20_261
"""Seed of the draw where only some examples are replayed or measured on."""


class SimulationService:
    """Replay a labeled split as a pool."""

    def __init__(self, store: Store, settings: Settings, runs: RunService) -> None:
        self._store = store
        self._settings = settings
        self._runs = runs

    def launch(
        self,
        project: Project,
        strategies: Sequence[str],
        *,
        seeds: int = 3,
        batch_words: int = 2_000,
        rounds: int = 10,
        pool: Split | str = Split.POOL,
        measured_on: Split | str = Split.TEST,
        limit: int | None = None,
        measure_limit: int | None = None,
        full: bool = True,
        keep_duplicates: bool = False,
        precision: str = "auto",
        parameters: TrainParameters | None = None,
        user_id: int | None = None,
    ) -> Run:
        """Queue a simulation; nothing of it touches the project's labels.

        Args:
            project: The project.
            strategies: Registered, of its task type; ``random`` is added where it is missing.
            seeds: How many repetitions, seeded 1, 2, …; each begins with a first batch of its own, by lot.
            batch_words: Words of the first batch, and of each that is asked for.
            rounds: Batches after the first.
            pool: The split to replay: gold labels answer, or those kept aside at import.
            measured_on: The split to measure on, by its gold labels.
            limit: Replay so many examples of the pool only, drawn by a lot that is always the same.
            measure_limit: Measure on so many examples only, drawn likewise: every model is measured on the same.
            full: Train on the whole pool too, once for each seed: without it there is no "99 % of the full data".
            keep_duplicates: Ask for near-duplicates of what is labeled too.
            precision: In what the pool is scored: auto computes in 8 bits on a CPU that is faster in them; fp32; int8.
                Scores that are reported are never measured in 8 bits.
            parameters: Of every training.
            user_id: Who asked for it.

        Raises:
            UnknownName: There is no such strategy.
            InvalidInput: A strategy is not for this task type, a number is out of range, or labels are missing.
        """
        names = self._checked(project, strategies, seeds, batch_words, rounds)
        check_precision(precision)
        chosen = parameters or TrainParameters()
        check_parameters(chosen)
        check_context(project, chosen)
        chosen = replace(chosen, base_model=check_base_model(chosen.base_model), from_version=None)
        if chosen.device == "auto" and self._settings.device != "auto":
            chosen = replace(chosen, device=self._settings.device)
        source, target = as_split(pool), as_split(measured_on)
        if source is target:
            raise InvalidInput(
                f"{source} can't be the pool and measured on at once", remedy="choose two splits"
            )
        plan = {
            "strategies": list(names),
            "seeds": list(range(1, seeds + 1)),
            "batch_words": batch_words,
            "rounds": rounds,
            "full": full,
            "keep_duplicates": keep_duplicates,
            "precision": precision,
            "cost": asdict(self.cost(project)),
        }

        def prepare(folder: Path) -> dict[str, Any]:
            rows = self._rows(project, (source, limit), (target, measure_limit))
            counts = write_examples(
                folder / "examples.jsonl", in_context(self._store, rows, chosen.context), _weight
            )
            for role, split, remedy in (
                (Split.POOL, source, "import it with its labels, or with --unlabeled"),
                (Split.TEST, target, "import labeled data into it"),
            ):
                if not counts[role]:
                    raise InvalidInput(f"no example of the {split} split is labeled", remedy=remedy)
            note = f"Replaying {counts[Split.POOL]} examples, measuring on {counts[Split.TEST]}."
            return {
                "labels": [label.name for label in project.labels],
                "parameters": asdict(chosen),
                "simulation": plan,
                "resume_from": None,
                "notes": [note],
            }

        kept = {**asdict(chosen), **plan, "pool": str(source), "measured_on": str(target)}
        kept |= {"limit": limit, "measure_limit": measure_limit}
        return self._runs.launch(project, RunKind.SIMULATE, kept, prepare, user_id=user_id)

    def report(self, project: Project, run: Run) -> dict[str, Any]:
        """What a simulation has found, as far as it is: its result, or its points so far in the same form."""
        result: Json = run.result
        if not result.get("curves"):
            folder = AttemptFolder.of(self._settings.runs_dir, run.id, run.attempt).path / POINTS
            result = {**summarise(read_points(folder)), "cost": run.parameters["cost"]}
        task = get_task(project.task)
        return {
            "project": project.name,
            "task": project.task,
            "run": run.id,
            "state": str(run.state),
            "metric": task.primary_metric,
            "scale": task.metric_scale,
            "parameters": dict(run.parameters),
            "seconds_from": Cost(**run.parameters["cost"]).sentence,
            **{key: value for key, value in result.items() if key not in ("run", "cost")},
        }

    def list(self, project: Project) -> tuple[Run, ...]:
        """The project's simulations, newest first."""
        return tuple(run for run in self._runs.list(project) if run.kind is RunKind.SIMULATE)

    def cost(self, project: Project) -> Cost:
        """An annotator's seconds on this project, from those logged so far."""
        with self._store.read() as tx:
            return logged_cost(tx, project)

    @staticmethod
    def _checked(
        project: Project, strategies: Sequence[str], seeds: int, batch_words: int, rounds: int
    ) -> tuple[str, ...]:
        fitting = {strategy.name for strategy in strategies_for(project.task)}
        for name in strategies:
            if name not in fitting:
                raise InvalidInput(
                    f"{project.task} can't be selected by {name!r}",
                    remedy=f"choose from {', '.join(sorted(fitting))}",
                )
        wanted = {"seeds": seeds, "words of a batch": batch_words, "rounds": rounds}
        for what, value in wanted.items():
            if value < 1:
                raise InvalidInput(f"{value} can't be the number of {what}", remedy="give 1 or more")
        names = tuple(dict.fromkeys((YARDSTICK, *strategies)))
        models = seeds * (2 + rounds * len(names))
        if models > MOST_POINTS:
            raise InvalidInput(
                f"that is {models:,} models to train",
                remedy=f"choose at most {MOST_POINTS:,}: fewer rounds or seeds",
            )
        return names

    def _rows(
        self, project: Project, pool: tuple[Split, int | None], measured: tuple[Split, int | None]
    ) -> Iterator[SnapshotRow]:
        for role, (split, limit) in ((Split.POOL, pool), (Split.TEST, measured)):
            rows = self._labeled(project, split, role)
            yield from rows if limit is None else drawn(rows, limit)

    def _labeled(self, project: Project, split: Split, role: Split) -> Iterator[SnapshotRow]:
        """Examples of a split that a model can read, with their gold label, or else the one kept aside.

        Partial labels are left out: an annotator who is replayed answers all that is asked.
        """
        task = get_task(project.task)
        with self._store.read() as tx:
            for page in chunks(tx.examples.iter_split(project.id, split), PAGE):
                ids = [example.id for example in page]
                gold = tx.annotations.gold_of(ids)
                aside = kept_aside(tx, project, [each for each in ids if each not in gold])
                for example in page:
                    found = gold[example.id][0].payload if example.id in gold else None
                    payload = aside.get(example.id) if found is None else task.dump(found)
                    if payload is None or is_partial(payload):
                        continue
                    if example.content.tokens or isinstance(task, AnswerTask):
                        document = str(example.document_id)
                        yield SnapshotRow(
                            example.id, example.position, role, document, example.content, payload
                        )


def drawn(rows: Iterable[SnapshotRow], limit: int) -> list[SnapshotRow]:
    """So many of the rows, in their order, all equally likely; the same ones each time (Vitter 1985)."""
    lots = random.Random(LOT)
    kept: dict[int, SnapshotRow] = {}
    places: list[int] = []
    for number, row in enumerate(rows):
        place = number if number < limit else lots.randrange(number + 1)
        if number < limit:
            places.append(number)
        elif place < limit:
            del kept[places[place]]
            places[place] = number
        else:
            continue
        kept[number] = row
    return [kept[number] for number in sorted(kept)]


def _weight(row: SnapshotRow) -> dict[str, Any]:
    """What choosing goes by beside the scores: words, as an import counts them, and the near-duplicates' key."""
    words = len(row.content.tokens) or count_words(row.content)
    return {"words": words, "near": near_key(row.content.text, row.content.question)}


@FINISHERS.register("simulate")
def finish_simulate(
    store: Store, settings: Settings, run: Run, attempt: Path, result: Mapping[str, Any]
) -> dict[str, Any]:
    """All of a simulation is in its result."""
    dropped = ("state", "error")
    return {"run": run.id, **{key: value for key, value in result.items() if key not in dropped}}
