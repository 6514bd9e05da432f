"""Named-entity recognition: labeled spans of whole tokens, none overlapping another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.domain import ExampleText, Payload, Prediction, Span, Spans, is_partial
from workbench.errors import InvalidPayload
from workbench.tasks.base import IGNORE, TASKS
from workbench.tasks.overlap import counts, total
from workbench.tasks.payloads import check_label, expect, flag, integer, items, text_of
from workbench.tasks.schemes import OUTSIDE, tags_of, token_spans
from workbench.tasks.tagging import (
    DECIMALS,
    Readout,
    TaggingBase,
    to_character_spans,
    to_token_spans,
    token_range,
)

SCHEME = "IOB2"


class NerTask(TaggingBase):
    """Model classes are IOB2: ``O, B-X, I-X, …`` in the order of the label set.

    The winning class of each token is read as ``conlleval`` reads tags, so an ``I-X`` without its ``B-X`` opens a
    span, as it does in the pipelines of transformers. A span's confidence is the mean, over its tokens, of the
    winning class's probability; the example's is that of its least sure token. Alternatives are labels, with
    the probabilities of ``B-X`` and ``I-X`` added up, and ``O``.
    """

    name = "ner"
    title = "Named entities"
    primary_metric = "f1"
    metric_scale = 1.0

    def validate(self, payload: Payload, example: ExampleText, labels: Sequence[str]) -> None:
        """Raise InvalidPayload unless spans are sorted, apart, on token boundaries, with labels of the set.

        Partial labels without a span say nothing at all and are refused too.
        """
        end = 0
        given = expect(payload, Spans)
        if given.partial and not given.spans:
            raise InvalidPayload(
                "partial labels without a span say nothing", remedy="label a span, or skip the example"
            )
        for span in given.spans:
            check_label(span.label, labels)
            token_range(span, example.tokens)
            if span.start < end:
                raise InvalidPayload(
                    f"span {span.start} to {span.end} ({span.label}) overlaps the one before it or is out of order",
                    remedy="give sorted spans that don't overlap",
                )
            end = span.end

    def load(self, data: Mapping[str, Any]) -> Spans:
        """From ``{"spans": [{"start", "end", "label"}]}``, in any order; beside it ``"partial": true`` if they are."""
        return Spans(
            tuple(
                sorted(
                    Span(integer(item, "start"), integer(item, "end"), text_of(item, "label"))
                    for item in items(data, "spans")
                )
            ),
            flag(data, "partial"),
        )

    def dump(self, payload: Payload) -> dict[str, Any]:
        """``{"spans": [{"start", "end", "label"}]}``, and ``"partial": true`` where they are partial."""
        given = expect(payload, Spans)
        spans = [{"start": span.start, "end": span.end, "label": span.label} for span in given.spans]
        return {"spans": spans, "partial": True} if given.partial else {"spans": spans}

    def labels_in(self, payload: Payload) -> list[str]:
        """The label of each span."""
        return [span.label for span in expect(payload, Spans).spans]

    def model_labels(self, labels: Sequence[str]) -> tuple[str, ...]:
        """``O``, then ``B-`` and ``I-`` of each label."""
        return (OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI"))

    def tags(self, payload: Payload, example: ExampleText) -> list[str]:
        """IOB2 tags of the tokens. Raises InvalidPayload where a span is not on token boundaries."""
        spans = to_token_spans(expect(payload, Spans).spans, example)
        return tags_of(spans, len(example.tokens), SCHEME)

    def targets(self, payload: Payload, example: ExampleText, classes: Sequence[str]) -> NDArray[np.int64]:
        """Class of each token, shape (tokens,).

        IGNORE where a span's label is not among the classes (retired), and outside of the spans of partial labels.
        """
        index = {name: position for position, name in enumerate(classes)}
        if is_partial(payload):
            index.pop(OUTSIDE, None)
        return np.array([index.get(tag, IGNORE) for tag in self.tags(payload, example)], dtype=np.int64)

    def labels_of(self, classes: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
        """``O`` and the labels, and each class's index into them."""
        names = [name if name == OUTSIDE else name.partition("-")[2] for name in classes]
        labels = list(dict.fromkeys(names))
        return labels, np.array([labels.index(name) for name in names], dtype=np.int64)

    def _predict(self, readout: Readout, example: ExampleText, classes: Sequence[str]) -> Prediction:
        spans = []
        if any(readout.best) or classes[0] != OUTSIDE:
            spans = token_spans([classes[index] for index in readout.best])
        means = [
            round(sum(readout.probability[span.start : span.end]) / (span.end - span.start), DECIMALS)
            for span in spans
        ]
        return Prediction(
            payload=Spans(to_character_spans(spans, example)),
            confidence=min(readout.probability, default=1.0),
            confidences=tuple(means),
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
        """Figures of seqeval, 0..1: precision, recall, f1 (micro), accuracy (of IOB2 tags), per_label, strict;
        and by how much is found: ``overlap``, with exact, partial and type (see ``tasks.overlap``).

        The default mode is ``conlleval``'s; ``strict`` is seqeval's strict mode with IOB2. Spans are always
        well-formed, so the two don't differ here, and both are counts of equal spans (a test holds them to seqeval,
        which takes a hundred times as long). Partial gold has no place here: a prediction outside of its spans is
        neither right nor wrong.
        """
        names = sorted(
            {label for payload in (*gold, *predicted) for label in self.labels_in(payload)},
            key=lambda name: (labels.index(name) if name in labels else len(labels), name),
        )
        hits, found, wanted = Counter[str](), Counter[str](), Counter[str]()
        tokens = right = 0
        overlaps = []
        for truth, guess, example in zip(gold, predicted, examples, strict=True):
            a, b = (to_token_spans(expect(payload, Spans).spans, example) for payload in (truth, guess))
            wanted.update(span.label for span in a)
            found.update(span.label for span in b)
            hits.update(span.label for span in set(a) & set(b))
            size = len(example.tokens)
            same = a == b
            tokens += size
            right += size if same else _equal(tags_of(a, size, SCHEME), tags_of(b, size, SCHEME))
            overlaps.append(counts(a, b))
        overall = _figures(hits.total(), found.total(), wanted.total())
        return {
            **overall,
            "accuracy": right / tokens if tokens else 0.0,
            "per_label": {
                name: {**_figures(hits[name], found[name], wanted[name]), "support": wanted[name]}
                for name in names
            },
            "strict": {**overall, "scheme": SCHEME},
            "overlap": total(overlaps),
            "examples": len(examples),
            "entities": wanted.total(),
            "tokens": tokens,
        }

    def score_example(self, gold: Payload, predicted: Payload, example: ExampleText) -> dict[str, float]:
        """Counts of spans: ``correct``, ``predicted``, ``gold``."""
        truth, guess = expect(gold, Spans).spans, expect(predicted, Spans).spans
        correct = len(truth) if truth == guess else len(set(truth) & set(guess))
        return {"correct": float(correct), "predicted": float(len(guess)), "gold": float(len(truth))}

    def aggregate(self, statistics: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Micro F1; 0 where there is neither a gold nor a predicted span."""
        correct = np.asarray(statistics["correct"], dtype=np.float64)
        total = np.asarray(statistics["predicted"] + statistics["gold"], dtype=np.float64)
        return np.divide(2 * correct, total, out=np.zeros_like(total), where=total > 0)


def _equal(a: Sequence[str], b: Sequence[str]) -> int:
    return sum(x == y for x, y in zip(a, b, strict=True))


def _figures(right: int, found: int, wanted: int) -> dict[str, float]:
    return {
        "precision": right / found if found else 0.0,
        "recall": right / wanted if wanted else 0.0,
        "f1": 2 * right / (found + wanted) if found + wanted else 0.0,
    }


TASKS.add(NerTask.name, NerTask())
