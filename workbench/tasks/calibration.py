"""Whether a model is right as often as it says: calibration error, reliability, temperature. NumPy only.

(Guo et al. 2017, "On Calibration of Modern Neural Networks".)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.domain import Answers, ExampleText, Payload, Prediction, Spans, Tags
from workbench.tasks.schemes import OUTSIDE
from workbench.tasks.squad import best_of
from workbench.tasks.tagging import token_range

BINS = 10
COOLEST, HOTTEST = 0.2, 10.0
"""A temperature beyond these says that the data is too little or too odd to fit one."""

Said = list[tuple[float, bool]]
"""A confidence and whether it was justified."""


def said(gold: Payload, prediction: Prediction, example: ExampleText) -> dict[str, Said]:
    """What a prediction was how sure of, and whether rightly: ``entities``, ``words`` or ``answers``.

    An entity is right when its span and label are. A word of an entity task has the label that it would get (its
    first alternative) or none; one of a tagging task its tag; words without a gold tag are left out. An answer is
    right by SQuAD's exact match, "no answer" included.
    """
    payload = prediction.payload
    if isinstance(gold, Spans) and isinstance(payload, Spans):
        truths = set(gold.spans)
        entities = [
            (sure, span in truths) for span, sure in zip(payload.spans, prediction.confidences, strict=False)
        ]
        labels = [OUTSIDE] * len(example.tokens)
        for span in gold.spans:
            first, last = token_range(span, example.tokens)
            labels[first:last] = [span.label] * (last - first)
        words = [
            (float(best[0][1]), best[0][0] == label)
            for best, label in zip(prediction.alternatives, labels, strict=False)
            if best
        ]
        return {"entities": entities, "words": words}
    if isinstance(gold, Tags) and isinstance(payload, Tags):
        rows = zip(gold.tags, payload.tags, prediction.confidences, strict=False)
        return {"words": [(sure, guess == truth) for truth, guess, sure in rows if truth is not None]}
    if isinstance(gold, Answers) and isinstance(payload, Answers):
        texts = [example.text[answer.start : answer.end] for answer in gold.answers]
        guess = payload.answers[0] if payload.answers else None
        exact, _ = best_of(example.text[guess.start : guess.end] if guess else "", texts)
        return {"answers": [(prediction.confidence, exact >= 1.0)]}
    return {}


def calibration_of(rows: Iterable[dict[str, Said]]) -> dict[str, dict[str, Any]]:
    """``reliability`` of each kind of item, over examples."""
    collected: dict[str, Said] = {}
    for row in rows:
        for name, items in row.items():
            collected.setdefault(name, []).extend(items)
    return {
        name: reliability([sure for sure, _ in items], [right for _, right in items])
        for name, items in collected.items()
    }


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> dict[str, Any]:
    """How often items of each degree of confidence are right.

    Args:
        confidence: 0..1, shape (items,).
        right: Shape (items,).
        bins: Of equal width; each holds its upper end, the first also 0.

    Returns:
        ``ece`` (0..1: the mean distance between confidence and accuracy of a bin, weighed by its items), ``count``,
        ``accuracy``, ``confidence`` (means), and ``bins``: low, high, count, and where there are items
        confidence and accuracy.
    """
    sure, good = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    index = np.clip(np.ceil(sure * bins - 1e-9).astype(np.int64) - 1, 0, bins - 1)
    counted = np.bincount(index, minlength=bins)
    sums = np.bincount(index, weights=sure, minlength=bins), np.bincount(index, weights=good, minlength=bins)
    rows = []
    for place, number in enumerate(counted.tolist()):
        row: dict[str, Any] = {"low": place / bins, "high": (place + 1) / bins, "count": number}
        if number:
            row |= {
                "confidence": float(sums[0][place] / number),
                "accuracy": float(sums[1][place] / number),
            }
        rows.append(row)
    total = len(sure)
    return {
        "ece": float(np.abs(sums[0] - sums[1]).sum() / total) if total else 0.0,
        "count": total,
        "accuracy": float(good.mean()) if total else 0.0,
        "confidence": float(sure.mean()) if total else 0.0,
        "bins": rows,
    }


def tempered(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.floating]:
    """The softmax of the logits over the temperature, from the softmax of the logits; the order stays."""
    if temperature == 1.0 or not probabilities.size:
        return probabilities
    logs = np.log(np.maximum(probabilities, np.finfo(probabilities.dtype).tiny)) / temperature
    raised = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=probabilities.dtype)


def fit_temperature(scores: NDArray[np.floating], targets: NDArray[np.int64]) -> float:
    """The temperature that makes what came true most likely.

    The likelihood has one maximum in 1 / temperature; it is found where the derivative changes its sign.

    Args:
        scores: Logits, or logarithms of probabilities, shape (items, classes); ``-inf`` for a class that an item
            has not.
        targets: The class that each item has, shape (items,).

    Returns:
        ``COOLEST`` to ``HOTTEST``; 1.0 where there are no items.
    """
    if not len(targets):
        return 1.0
    z = np.asarray(scores, dtype=np.float64)
    z = z - z.max(axis=1, keepdims=True)
    finite = np.where(np.isfinite(z), z, 0.0)
    wanted = finite[np.arange(len(targets)), targets].mean()

    def slope(temperature: float) -> float:
        weights = np.exp(z / temperature)
        return float(((weights * finite).sum(axis=1) / weights.sum(axis=1)).mean() - wanted)

    cool, hot = np.log(COOLEST), np.log(HOTTEST)
    for _ in range(40):
        middle = (cool + hot) / 2
        # Too cold: what the model expects lies above what came true.
        cool, hot = (middle, hot) if slope(float(np.exp(middle))) > 0 else (cool, middle)
    return float(np.exp((cool + hot) / 2))


def fit_choice_temperature(
    scores: NDArray[np.floating], chosen: NDArray[np.int64], right: NDArray[np.bool_]
) -> float:
    """The temperature at which the probability of what was chosen best tells whether it was right.

    For answers: the right one may not be among the candidates at all, so only the choice can be judged.

    Args:
        scores: Of the candidates, shape (questions, candidates), ``-inf`` where there are fewer.
        chosen: Index of the candidate that was given, shape (questions,).
        right: Whether it was right, shape (questions,).
    """
    if not len(chosen):
        return 1.0
    z = np.asarray(scores, dtype=np.float64)
    z = z - z.max(axis=1, keepdims=True)
    steps = np.exp(np.linspace(np.log(COOLEST), np.log(HOTTEST), 241))
    losses = []
    for temperature in steps:
        weights = np.exp(z / temperature)
        p = weights[np.arange(len(chosen)), chosen] / weights.sum(axis=1)
        p = np.clip(p, 1e-6, 1 - 1e-6)
        losses.append(-np.where(right, np.log(p), np.log1p(-p)).mean())
    return float(steps[int(np.argmin(losses))])
