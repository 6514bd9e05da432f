"""Extractive question answering: the parts of a context that answer a question, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.domain import Answer, Answers, ExampleText, Payload, Prediction
from workbench.errors import InvalidPayload
from workbench.tasks.base import TASKS
from workbench.tasks.payloads import check_question, expect, integer, items, text_of
from workbench.tasks.spans import candidates, softmax
from workbench.tasks.squad import best_of, best_of_v1
from workbench.tasks.tagging import DECIMALS


class QaTask:
    """Figures are SQuAD's, 0..100.

    An answer's probability is its share of the softmax over the n best answers and, where the data has
    unanswerable questions, "no answer".
    """

    name = "qa"
    title = "Question answering"
    primary_metric = "f1"
    metric_scale = 100.0

    def validate(self, payload: Payload, example: ExampleText, labels: Sequence[str]) -> None:
        """Raise InvalidPayload unless each answer is a stretch of the context that is more than white space.

        A question that is worded anew has to be fit to be asked (``check_question``).
        """
        wording = expect(payload, Answers).question
        if wording is not None:
            check_question(wording)
        for answer in expect(payload, Answers).answers:
            if not 0 <= answer.start < answer.end <= len(example.text):
                raise InvalidPayload(
                    f"answer {answer.start} to {answer.end} lies outside the context of {len(example.text)} characters",
                    remedy="count in code points of the context, from 0, the end not included",
                )
            if not example.text[answer.start : answer.end].strip():
                raise InvalidPayload(
                    f"answer {answer.start} to {answer.end} is nothing but white space",
                    remedy="mark some words, or say that there is no answer",
                )

    def load(self, data: Mapping[str, Any]) -> Answers:
        """From ``{"answers": [{"start", "end"}], "no_answer": bool, "question": str}``; only answers must be there."""
        answers = Answers(
            tuple(Answer(integer(item, "start"), integer(item, "end")) for item in items(data, "answers")),
            text_of(data, "question") if data.get("question") is not None else None,
        )
        if data.get("no_answer", answers.no_answer) is not answers.no_answer:
            raise InvalidPayload(
                f"'no_answer' is {data['no_answer']!r} with {len(answers.answers)} answers",
                remedy="give answers, or none and no_answer true",
            )
        return answers

    def dump(self, payload: Payload) -> dict[str, Any]:
        """``{"answers": [{"start", "end"}], "no_answer": bool}``, and ``question`` where it is worded anew."""
        answers = expect(payload, Answers)
        wording = {} if answers.question is None else {"question": answers.question}
        return {
            **wording,
            "answers": [{"start": answer.start, "end": answer.end} for answer in answers.answers],
            "no_answer": answers.no_answer,
        }

    def labels_in(self, payload: Payload) -> list[str]:
        """None: answers have no labels."""
        expect(payload, Answers)
        return []

    def model_labels(self, labels: Sequence[str]) -> tuple[str, ...]:
        """None: the head scores starts and ends."""
        return ()

    def decode_answers(
        self,
        start_logits: Sequence[NDArray[np.float32]],
        end_logits: Sequence[NDArray[np.float32]],
        offsets: Sequence[NDArray[np.int64]],
        example: ExampleText,
        *,
        no_answer_threshold: float = 0.0,
        allow_no_answer: bool = True,
        n_best: int = 20,
        max_answer_tokens: int = 30,
        temperature: float = 1.0,
    ) -> Prediction:
        """The best answer over all windows of one example (see ``AnswerTask``).

        A context in which no answer is possible (no sub-word of it is left) gives "no answer", whatever is allowed.
        """
        found = candidates(
            start_logits, end_logits, offsets, example.text, n_best=n_best, longest=max_answer_tokens
        )
        places, scores = list(found.spans), found.scores
        if allow_no_answer or not places:
            places, scores = [*places, (0, 0)], np.append(scores, found.null_score)
        chances = softmax(scores / temperature).round(DECIMALS).tolist()
        none = not found.spans or (allow_no_answer and found.margin > no_answer_threshold)
        chosen = len(places) - 1 if none else 0
        order = np.argsort(-scores, kind="stable").tolist()
        return Prediction(
            payload=Answers(() if none else (Answer(*places[chosen]),)),
            confidence=chances[chosen],
            confidences=() if none else (chances[chosen],),
            alternatives=tuple((*places[index], chances[index]) for index in order[:n_best]),
        )

    def evaluate(
        self,
        gold: Sequence[Payload],
        predicted: Sequence[Payload],
        examples: Sequence[ExampleText],
        labels: Sequence[str],
    ) -> dict[str, Any]:
        """SQuAD's figures, 0..100; those of questions with or without an answer are None where there are none.

        They follow the script of 2.0. ``squad_v1`` has exact_match and f1 by the script of 1.1, which knows only
        questions with an answer: None where there is another. The two differ for answers of which normalisation
        leaves nothing.
        """
        rows = [self.score_example(*row) for row in zip(gold, predicted, examples, strict=True)]
        answerable = [
            row for row, truth in zip(rows, gold, strict=True) if not expect(truth, Answers).no_answer
        ]
        unanswerable = [
            row for row, truth in zip(rows, gold, strict=True) if expect(truth, Answers).no_answer
        ]
        return {
            "exact_match": _percent(rows, "exact_match") or 0.0,
            "f1": _percent(rows, "f1") or 0.0,
            "has_answer_exact_match": _percent(answerable, "exact_match"),
            "has_answer_f1": _percent(answerable, "f1"),
            "no_answer_accuracy": _percent(unanswerable, "exact_match"),
            "squad_v1": None if unanswerable else _first_script(gold, predicted, examples),
            "examples": len(rows),
            "has_answer_examples": len(answerable),
            "no_answer_examples": len(unanswerable),
        }

    def score_example(self, gold: Payload, predicted: Payload, example: ExampleText) -> dict[str, float]:
        """``exact_match`` and ``f1`` of the question, 0..1, and ``questions`` (1)."""
        exact, f1 = best_of(*_texts(gold, predicted, example))
        return {"exact_match": exact, "f1": f1, "questions": 1.0}

    def aggregate(self, statistics: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """F1, 0..100; 0 where there is no question."""
        total = np.asarray(statistics["f1"], dtype=np.float64)
        questions = np.asarray(statistics["questions"], dtype=np.float64)
        return np.divide(100.0 * total, questions, out=np.zeros_like(total), where=questions > 0)


def _first_script(
    gold: Sequence[Payload], predicted: Sequence[Payload], examples: Sequence[ExampleText]
) -> dict[str, float] | None:
    rows = [
        dict(zip(("exact_match", "f1"), best_of_v1(*_texts(*row)), strict=True))
        for row in zip(gold, predicted, examples, strict=True)
    ]
    return {name: _percent(rows, name) or 0.0 for name in ("exact_match", "f1")} if rows else None


def _texts(gold: Payload, predicted: Payload, example: ExampleText) -> tuple[str, list[str]]:
    """The answer that was given, empty for none, and the accepted ones."""
    guess = expect(predicted, Answers).answers
    accepted = [example.text[answer.start : answer.end] for answer in expect(gold, Answers).answers]
    return example.text[guess[0].start : guess[0].end] if guess else "", accepted


def _percent(rows: Sequence[Mapping[str, float]], key: str) -> float | None:
    return 100.0 * sum(row[key] for row in rows) / len(rows) if rows else None


TASKS.add(QaTask.name, QaTask())
