"""How long an annotator takes: seconds by example and by word, from those that were logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ENOUGH = 30
"""Logged answers from which the project's own figures are used."""

LONGEST = 300.0
"""Seconds beyond which somebody was away, not reading."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one example: ``per_example + per_word * words``.

    Attributes:
        logged: How many answers it was fitted to; 0 where it is assumed.
    """

    per_example: float
    per_word: float
    logged: int

    def seconds(self, examples: float, words: float) -> float:
        """Seconds of so many examples with so many words in all."""
        return self.per_example * examples + self.per_word * words

    @property
    def sentence(self) -> str:
        """Where the seconds come from."""
        rule = f"{self.per_example:.1f} s an example and {self.per_word:.2f} s a word"
        if not self.logged:
            return f"Seconds are assumed ({rule}): fewer than {ENOUGH} answers with their time are logged."
        return f"Seconds are predicted from {self.logged:,} logged answers: {rule}."


ASSUMED = Cost(2.0, 0.25, 0)
"""Reading at 240 words a minute and two seconds to decide: a stand-in until seconds are logged."""


def fit_cost(words: Sequence[float], seconds: Sequence[float]) -> Cost:
    """Least squares over logged answers, both figures 0 or more; ``ASSUMED`` where there are too few.

    Answers of 0 seconds or more than ``LONGEST`` are left out.

    Args:
        words: Of each answered example.
        seconds: Logged with each answer.
    """
    x, y = np.asarray(words, dtype=np.float64), np.asarray(seconds, dtype=np.float64)
    used = (y > 0) & (y <= LONGEST)
    x, y = x[used], y[used]
    if len(x) < ENOUGH:
        return ASSUMED
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread else 0.0
    if slope < 0:
        return Cost(float(y.mean()), 0.0, len(x))
    base = float(y.mean() - slope * x.mean())
    if base < 0:
        return Cost(0.0, float((x * y).sum() / (x * x).sum()), len(x))
    return Cost(base, slope, len(x))
