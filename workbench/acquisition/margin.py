"""How narrowly the best guess beat the next ("breaking ties")."""

from __future__ import annotations

from workbench.acquisition.base import STRATEGIES, AnswerView, Floats, Strategy, TokenBatch, tasks_of


def margin(batch: TokenBatch) -> Floats:
    """One minus the narrowest lead that a best class has over a second, among the tokens.

    Formula: ``1 - min_t (p(t, 1) - p(t, 2))`` with the classes of each token in falling order. Range 0..1; a single
    class leads by 1. Cost: O(tokens x classes), a partition for the second-best class.
    Paper: Scheffer, Decomain and Wrobel (2001), Active hidden Markov models for information extraction;
    Luo et al. (2005), Active learning to recognize multiple types of plankton ("breaking ties"), JMLR.
    """
    # An example without tokens leads nowhere and has nothing to teach: ``largest`` gives it 0.
    return batch.largest(1.0 - (batch.best - batch.second))


def margin_answer(view: AnswerView) -> float:
    """One minus the lead of the best answer over the second: ``1 - (p(1) - p(2))`` over the n-best, range 0..1."""
    probabilities = view.probabilities
    second = probabilities[1] if len(probabilities) > 1 else 0.0
    return 1.0 - (probabilities[0] - second)


def no_answer_distance(view: AnswerView) -> float:
    """How near the question is to the border between "no answer" and the best answer.

    Formula: ``1 - |p(no answer) - p(best answer)|``. Range 0..1. p(no answer) is the n-best list's, or the CLS
    position's ``start(0) * end(0)`` where the list holds none. Cost: none.
    Paper: the no-answer score of Devlin et al. (2019), BERT, for SQuAD 2.0, used as a margin.
    """
    answers = [float(p) for start, end, p in view.prediction.alternatives if end > start]
    empty = [float(p) for start, end, p in view.prediction.alternatives if end <= start]
    if not empty and len(view.start) and len(view.end):
        empty = [float(view.start[0] * view.end[0])]
    return 1.0 - abs(max(empty, default=0.0) - max(answers, default=0.0))


STRATEGIES.add(
    "margin",
    Strategy(
        name="margin",
        title="Margin",
        sentence="Asks where the model wavers between two labels (or two answers): the first barely beats the second.",
        formula="1 - min_t (p₁(t) - p₂(t)); for questions 1 - (p₁ - p₂) over the best answers",
        bounds="0 to 1",
        cost="none beyond the pass over the pool",
        paper="Scheffer et al. (2001), Active Hidden Markov Models for Information Extraction; Luo et al. (2005)",
        tagging=margin,
        answers=margin_answer,
        tasks=tasks_of(margin, margin_answer),
    ),
)

STRATEGIES.add(
    "no-answer-distance",
    Strategy(
        name="no-answer-distance",
        title="Answer or none",
        sentence="Asks where the model can't decide whether the text answers the question at all.",
        formula="1 - |p(no answer) - p(best answer)|",
        bounds="0 to 1",
        cost="none beyond the pass over the pool",
        paper="margin to the no-answer score of Devlin et al. (2019), BERT",
        answers=no_answer_distance,
        tasks=tasks_of(None, no_answer_distance),
    ),
)
