"""Part-of-speech tagging: one tag per token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.domain import ExampleText, Payload, Prediction, Tags
from workbench.errors import InvalidPayload
from workbench.tasks.base import IGNORE, TASKS
from workbench.tasks.payloads import check_label, expect
from workbench.tasks.tagging import Readout, TaggingBase


class PosTask(TaggingBase):
    """Model classes are the tags themselves.

    A tag's confidence is its probability; the example's is that of its least sure token. Tokens without a gold
    tag give no loss and are left out of every figure.
    """

    name = "pos"
    title = "Parts of speech"
    primary_metric = "accuracy"
    metric_scale = 1.0

    def validate(self, payload: Payload, example: ExampleText, labels: Sequence[str]) -> None:
        """Raise InvalidPayload unless there is one tag of the set, or None, for each token."""
        tags = expect(payload, Tags).tags
        if len(tags) != len(example.tokens):
            raise InvalidPayload(
                f"there are {len(tags)} tags for {len(example.tokens)} tokens",
                remedy="give one tag per token, null where you can't say",
            )
        for tag in tags:
            if tag is not None:
                check_label(tag, labels)

    def load(self, data: Mapping[str, Any]) -> Tags:
        """From ``{"tags": ["NN", null, …]}``."""
        tags = data.get("tags") if isinstance(data, Mapping) else None
        if not isinstance(tags, list) or not all(
            tag is None or (isinstance(tag, str) and tag) for tag in tags
        ):
            raise InvalidPayload(
                "'tags' is missing or no list of texts", remedy='give {"tags": ["NN", null, …]}'
            )
        return Tags(tuple(tags))

    def dump(self, payload: Payload) -> dict[str, Any]:
        """``{"tags": ["NN", null, …]}``."""
        return {"tags": list(expect(payload, Tags).tags)}

    def labels_in(self, payload: Payload) -> list[str]:
        """The tag of each tagged token."""
        return [tag for tag in expect(payload, Tags).tags if tag is not None]

    def model_labels(self, labels: Sequence[str]) -> tuple[str, ...]:
        """The tags."""
        return tuple(labels)

    def targets(self, payload: Payload, example: ExampleText, classes: Sequence[str]) -> NDArray[np.int64]:
        """Class of each token, shape (tokens,); IGNORE without a tag, or with one that is not a class (retired)."""
        index: dict[str | None, int] = {name: position for position, name in enumerate(classes)}
        tags = expect(payload, Tags).tags
        if len(tags) != len(example.tokens):
            raise InvalidPayload(
                f"there are {len(tags)} tags for {len(example.tokens)} tokens",
                remedy="give one tag per token",
            )
        return np.array([index.get(tag, IGNORE) for tag in tags], dtype=np.int64)

    def _predict(self, readout: Readout, example: ExampleText, classes: Sequence[str]) -> Prediction:
        return Prediction(
            payload=Tags(tuple(classes[index] for index in readout.best)),
            confidence=min(readout.probability, default=1.0),
            confidences=tuple(readout.probability),
            uncertainty=tuple(readout.uncertainty),
            alternatives=tuple(readout.alternatives),
        )

    def evaluate(
        self,
        gold: Sequence[Payload],
        predicted: Sequence[Payload],
        examples: Sequence[ExampleText],
        labels: Sequence[str],
    ) -> dict[str, Any]:
        """Over tokens with a gold tag, 0..1: accuracy, macro_f1 (mean over the tags of either side), per_tag."""
        pairs = [pair for a, b in zip(gold, predicted, strict=True) for pair in _pairs(a, b)]
        tags = sorted(
            {tag for pair in pairs for tag in pair if tag is not None},
            key=lambda tag: (labels.index(tag) if tag in labels else len(labels), tag),
        )
        index: dict[str | None, int] = {tag: position for position, tag in enumerate(tags)}
        none = len(tags)
        truth = np.array([index[a] for a, _ in pairs], dtype=np.int64)
        guess = np.array([index.get(b, none) for _, b in pairs], dtype=np.int64)
        hits = np.bincount(truth[truth == guess], minlength=none + 1)[:none].astype(np.float64)
        support = np.bincount(truth, minlength=none + 1)[:none]
        given = np.bincount(guess, minlength=none + 1)[:none]
        precision, recall, f1 = _ratio(hits, given), _ratio(hits, support), _ratio(2 * hits, support + given)
        return {
            "accuracy": float(hits.sum() / len(pairs)) if pairs else 0.0,
            "macro_f1": float(f1.mean()) if tags else 0.0,
            "per_tag": {
                tag: {
                    "precision": float(precision[i]),
                    "recall": float(recall[i]),
                    "f1": float(f1[i]),
                    "support": int(support[i]),
                }
                for i, tag in enumerate(tags)
            },
            "examples": len(examples),
            "tokens": len(pairs),
        }

    def score_example(self, gold: Payload, predicted: Payload, example: ExampleText) -> dict[str, float]:
        """Counts of tokens with a gold tag: ``correct``, ``tokens``."""
        pairs = _pairs(gold, predicted)
        return {"correct": float(sum(a == b for a, b in pairs)), "tokens": float(len(pairs))}

    def aggregate(self, statistics: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Token accuracy; 0 where there is no token."""
        correct = np.asarray(statistics["correct"], dtype=np.float64)
        return _ratio(correct, np.asarray(statistics["tokens"], dtype=np.float64))


def _pairs(gold: Payload, predicted: Payload) -> list[tuple[str, str | None]]:
    truth, guess = expect(gold, Tags).tags, expect(predicted, Tags).tags
    return [(a, b) for a, b in zip(truth, guess, strict=True) if a is not None]


def _ratio(part: NDArray[np.float64], whole: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=np.asarray(whole) > 0))


TASKS.add(PosTask.name, PosTask())
