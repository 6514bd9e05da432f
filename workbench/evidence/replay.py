"""What the points of a simulation amount to: curves, area, words to 99 % of the full data's score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.evidence.curves import Curve, area_under, cost_to_reach, curve, spread

FULL = "full"
"""Stands for the strategy of the points that learned from the whole pool."""

GOAL = 0.99


@dataclass(frozen=True, slots=True)
class ReplayPoint:
    """One model of a simulation.

    Attributes:
        strategy: What chose its examples; ``FULL`` for the whole pool.
        seed: Of the first batch, the lots and the training.
        round: 0 for the first batch, by lot.
        examples: It learned from.
        words: In those.
        seconds: An annotator's, for those, predicted.
        metric: The primary metric on the split that is measured.
        computed: Seconds that training, measuring and scoring took.
    """

    strategy: str
    seed: int
    round: int
    examples: int
    words: int
    seconds: float
    metric: float
    computed: float


def summarise(points: Sequence[ReplayPoint]) -> dict[str, Any]:
    """Keys ``curves``, ``full_data``, ``words_to_99_percent`` and ``area_under_curve`` of the command-line contract.

    ``words_to_99_percent`` has for each strategy ``words`` and ``share`` (of the pool's words), means over the seeds
    that reached it, None where one did not, and each seed's own in ``seeds``. ``area_under_curve`` is the mean
    score between the words that every curve covers, with a 95 % interval over seeds. A seed is held to the
    full-data score of its own; where it has none yet, to the mean of those there are.
    """
    arms: dict[tuple[str, int], list[ReplayPoint]] = defaultdict(list)
    for point in sorted(points, key=lambda each: each.words):
        arms[point.strategy, point.seed].append(point)
    full = {seed: found[-1] for (name, seed), found in arms.items() if name == FULL}
    curves = {key: found for key, found in arms.items() if key[0] != FULL}
    names = list(dict.fromkeys(name for name, _ in curves))
    lines = {key: _line(found) for key, found in curves.items()}
    return {
        "curves": [
            {
                "strategy": name,
                "seed": seed,
                "points": [
                    {k: v for k, v in asdict(point).items() if k not in ("strategy", "seed")}
                    for point in found
                ],
            }
            for (name, seed), found in sorted(
                curves.items(), key=lambda item: (names.index(item[0][0]), item[0][1])
            )
        ],
        "full_data": _full(full),
        "words_to_99_percent": {name: _to_goal(name, lines, full) for name in names} if full else {},
        "area_under_curve": _areas(names, lines),
    }


def _line(found: Sequence[ReplayPoint]) -> Curve:
    return curve([point.words for point in found], [point.metric for point in found])


def _full(full: Mapping[int, ReplayPoint]) -> dict[str, Any]:
    if not full:
        return {}
    one = next(iter(full.values()))
    return {
        "examples": one.examples,
        "words": one.words,
        "seconds": one.seconds,
        "metric": asdict(spread([point.metric for point in full.values()])),
        "seeds": {str(seed): point.metric for seed, point in full.items()},
    }


def _to_goal(
    name: str, lines: Mapping[tuple[str, int], Curve], full: Mapping[int, ReplayPoint]
) -> dict[str, Any]:
    mean = sum(point.metric for point in full.values()) / len(full)
    words = next(iter(full.values())).words
    seeds: dict[str, float | None] = {}
    for (strategy, seed), line in lines.items():
        if strategy == name:
            target = GOAL * (full[seed].metric if seed in full else mean)
            seeds[str(seed)] = cost_to_reach(line, target)
    reached = [value for value in seeds.values() if value is not None]
    average = sum(reached) / len(reached) if len(reached) == len(seeds) else None
    return {
        "words": average,
        "share": average / words if average is not None and words else None,
        "seeds": seeds,
    }


def _areas(names: Sequence[str], lines: Mapping[tuple[str, int], Curve]) -> dict[str, Any]:
    if not lines:
        return {}
    low = max(float(x[0]) for x, _ in lines.values())
    high = min(float(x[-1]) for x, _ in lines.values())
    if not low < high:
        return {}
    return {
        name: asdict(spread([area_under(line, low, high) for (own, _), line in lines.items() if own == name]))
        for name in names
    }
