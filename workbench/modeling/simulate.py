"""Simulate runs: labeled data replayed as a pool, its labels as the annotator, to see what a strategy is worth.

Training is ``train``, scoring the predictor's pass and the registered strategies, as in the product: in eight bits
where the processor is faster in them, while what is reported is measured in the device's own precision. Only the
database is left out. Every model gives one *point*, kept as a file of its own when it is whole, with what each
strategy asks for next: a run that was killed goes on behind its last point and ends with the same curves.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition import STRATEGIES, random_scores
from workbench.domain import Payload, Split, TrainParameters
from workbench.errors import InvalidInput
from workbench.evidence.cost import Cost
from workbench.evidence.points import POINTS, START, Points
from workbench.evidence.replay import FULL, ReplayPoint, summarise
from workbench.modeling.asking import Pool, asked_for, read_pool, take
from workbench.modeling.device import choose_device
from workbench.modeling.inputs import Row, read_rows, train_parameters
from workbench.modeling.predict import Predictor
from workbench.modeling.quantize import choose_precision
from workbench.modeling.takeover import take_over
from workbench.modeling.trials import fingerprint, taught
from workbench.reporting import Reporter
from workbench.tasks import Task, get_task


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be replayed.

    Attributes:
        strategies: Registered names; ``random`` is among them.
        seeds: Of the first batch, the lots and the training.
        batch_words: Words of the first batch, and of each that follows.
        rounds: Batches after the first.
        full: Whether each seed's model of the whole pool is trained too.
        keep_duplicates: Ask for near-duplicates of labeled examples too.
        cost: An annotator's seconds.
        parameters: Of every training.
        precision: In what the pool is scored, as ``choose_precision`` takes it.
    """

    strategies: tuple[str, ...]
    seeds: tuple[int, ...]
    batch_words: int
    rounds: int
    full: bool
    keep_duplicates: bool
    cost: Cost
    parameters: TrainParameters
    precision: str = "auto"

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Plan:
        """The manifest's. Raises InvalidInput, UnknownName."""
        given = manifest.get("simulation") or {}
        plan = cls(
            strategies=tuple(given["strategies"]),
            seeds=tuple(int(seed) for seed in given["seeds"]),
            batch_words=int(given["batch_words"]),
            rounds=int(given["rounds"]),
            full=bool(given["full"]),
            keep_duplicates=bool(given["keep_duplicates"]),
            cost=Cost(**given["cost"]),
            parameters=train_parameters(manifest),
            precision=str(given.get("precision", "auto")),
        )
        for name in plan.strategies:
            STRATEGIES[name]
        return plan

    @property
    def points(self) -> int:
        """Models to train: of each seed a first one, one a round and strategy, and that of the whole pool."""
        return len(self.seeds) * (1 + self.rounds * len(self.strategies) + self.full)


def simulate(attempt: Path, manifest: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Replay the pool by every strategy and seed of a plan.

    Args:
        attempt: The run's folder, with ``examples.jsonl``: those of split pool are the pool and those of split test
            are measured on, all labeled; each line has ``words``, and ``near``, which near-duplicates share.
        manifest: ``task``, ``labels``, ``parameters`` (of every training), ``simulation`` (the plan) and
            ``resume_from``, as ``take_over`` reads it.
        reporter: Hears of progress, in points.

    Returns:
        The keys of ``evidence.replay.summarise``, ``metric``, ``device``, ``seconds``, ``pool`` and ``measured``.

    Raises:
        InvalidInput: There is no pool or nothing to measure on.
        Cancelled: The run was told to stop; the points stay.
        Anything that training raises.
    """
    begin = time.monotonic()
    plan = Plan.of(manifest)
    take_over(attempt, manifest)
    points = Points(attempt / POINTS, fingerprint(attempt, manifest, ("simulation",)))
    if found := len(points):
        reporter.log(f"{found} of {plan.points} models are there from before.")
    replay = Replay(attempt, manifest, plan, points, reporter)
    replay.run()
    return {
        **summarise(points.all()),
        "metric": get_task(str(manifest["task"])).primary_metric,
        "device": choose_device(plan.parameters.device).name,
        "seconds": time.monotonic() - begin,
        "pool": {"examples": len(replay.pool), "words": int(replay.words.sum())},
        "measured": len(replay.measure),
        "cost": asdict(plan.cost),
        "scored_in": replay.precision,
    }


class Replay:
    """One simulation: the data in memory and the models one after another."""

    def __init__(
        self, attempt: Path, manifest: Mapping[str, Any], plan: Plan, points: Points, reporter: Reporter
    ) -> None:
        self._work = attempt / "work"
        self._manifest = manifest
        self._plan = plan
        self._points = points
        self._reporter = reporter
        self._task: Task = get_task(str(manifest["task"]))
        lines = (attempt / "examples.jsonl").read_text(encoding="utf-8").split("\n")
        raw = [json.loads(line) for line in lines if line.strip()]
        rows = list(read_rows(attempt / "examples.jsonl", self._task))
        chosen = [index for index, row in enumerate(rows) if row.split == Split.POOL]
        self.pool: list[Row] = [rows[index] for index in chosen]
        self._raw = [raw[index] for index in chosen]
        self.words: NDArray[np.int64] = np.array([line["words"] for line in self._raw], dtype=np.int64)
        near = [str(line["near"]) for line in self._raw]
        self._memory = Pool([row.content for row in self.pool], self.words, near)
        self.measure = [row for row in rows if row.split == Split.TEST]
        for what, some in (("to replay as a pool", self.pool), ("to measure on", self.measure)):
            if not some:
                raise InvalidInput(f"there is no labeled example {what}", remedy="choose another split")
        device = choose_device(plan.parameters.device)
        self.precision = points.precision or choose_precision(plan.precision, device)
        self._done = 0
        self._spent = 0.0
        self._worked = 0.0

    def run(self) -> None:
        """Compute every point that is not there yet."""
        for seed in self._plan.seeds:
            lots = random_scores(np.arange(len(self.pool)), seed)
            first = self._take(np.argsort(-lots, kind="stable").tolist(), ())
            self._point(START, seed, 0, first, self._plan.strategies)
            for name in self._plan.strategies:
                labeled = list(first)
                asked = self._next(START, seed, 0, name)
                for number in range(1, self._plan.rounds + 1):
                    if not asked:
                        self._done += self._plan.rounds + 1 - number
                        break
                    labeled += asked
                    self._point(name, seed, number, labeled, (name,))
                    asked = self._next(name, seed, number, name)
            if self._plan.full:
                self._point(FULL, seed, 0, list(range(len(self.pool))), ())

    def _next(self, strategy: str, seed: int, number: int, name: str) -> list[int]:
        found = self._points.get(strategy, seed, number)
        assert found is not None
        return list(found["next"][name])

    def _point(
        self, strategy: str, seed: int, number: int, labeled: Sequence[int], names: Sequence[str]
    ) -> None:
        """Train on these examples, measure, and let each strategy say what it wants next."""
        self._report(f"{strategy}, seed {seed}, round {number}")
        if self._points.get(strategy, seed, number) is None:
            self._reporter.check()
            begin = time.monotonic()
            predictor = self._taught(labeled, seed)
            metric = self._measured(predictor)
            # What comes after the last round is never asked for: the pool need not be scored for it.
            last = number >= self._plan.rounds
            following = (
                {name: [] for name in names} if last else self._wanted(predictor, seed, labeled, names)
            )
            words = int(self.words[list(labeled)].sum())
            seconds = time.monotonic() - begin
            point = ReplayPoint(
                strategy,
                seed,
                number,
                len(labeled),
                words,
                self._plan.cost.seconds(len(labeled), words),
                metric,
                seconds,
            )
            self._points.put(point, following, self.precision)
            shutil.rmtree(self._work, ignore_errors=True)
            self._spent += seconds
            self._worked += 1
            self._reporter.log(
                f"{strategy}, seed {seed}, round {number}: {words:,} words, "
                f"{self._task.primary_metric} {metric:.4f} ({seconds:.0f} s)."
            )
        self._done += 1
        self._report(f"{strategy}, seed {seed}, round {number}")

    def _taught(self, labeled: Sequence[int], seed: int) -> Predictor:
        lines = (self._raw[index] for index in labeled)
        parameters = replace(self._plan.parameters, seed=seed)
        return taught(self._work, lines, self._manifest, parameters, self._reporter)

    def _measured(self, predictor: Predictor) -> float:
        contents = [row.content for row in self.measure]
        gold: list[Payload] = [row.payload for row in self.measure if row.payload is not None]
        said = [prediction.payload for prediction in predictor.predict(contents)]
        figures = self._task.evaluate(gold, said, contents, tuple(self._manifest["labels"]))
        return float(figures[self._task.primary_metric])

    def _wanted(
        self, predictor: Predictor, seed: int, labeled: Sequence[int], names: Sequence[str]
    ) -> dict[str, list[int]]:
        seen = read_pool(self._quick(predictor), self._memory, labeled, names, self._reporter)
        words = self._plan.batch_words
        return {
            name: self._take(asked_for(STRATEGIES[name], self._memory, seen, labeled, seed, words), labeled)
            for name in names
        }

    def _quick(self, predictor: Predictor) -> Predictor:
        """The same model in the precision in which the pool is scored."""
        if predictor.precision == self.precision:
            return predictor
        return Predictor(predictor.model, predictor.device, precision=self.precision)

    def _take(self, order: Iterable[int], labeled: Sequence[int]) -> list[int]:
        plan = self._plan
        return take(order, self._memory, labeled, plan.batch_words, duplicates=plan.keep_duplicates)

    def _report(self, phase: str) -> None:
        left = self._plan.points - self._done
        each = self._spent / self._worked if self._worked else None
        self._reporter.progress(
            self._done, self._plan.points, phase=phase, seconds_left=each * left if each is not None else None
        )
