"""When to stop labeling: successive models that say the same of text that nobody labels."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

AGREED = 0.99
WINDOW = 3
"""Bloodgood and Vijay-Shanker's own choice: a mean agreement of 0.99 over three successive pairs."""


@dataclass(frozen=True, slots=True)
class Stability:
    """What the agreements of successive models amount to.

    Attributes:
        kappas: Of each model with the one before, oldest pair first.
        recent: Mean of the last ``WINDOW`` of them; None where there are fewer.
        stop: Whether the predictions have settled.
        sentence: What it means.
    """

    kappas: tuple[float, ...]
    recent: float | None
    stop: bool
    sentence: str


def kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Cohen's kappa of two sequences of labels: agreement beyond chance, at most 1.

    Two sequences that hold one and the same label throughout agree by 1.

    Raises:
        ValueError: They are empty or of different lengths.

    >>> kappa("aabb", "aabb"), kappa("aabb", "abab")
    (1.0, 0.0)
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"{len(first)} and {len(second)} labels can't be compared")
    known = {label: index for index, label in enumerate(dict.fromkeys([*first, *second]))}
    one = np.array([known[label] for label in first])
    two = np.array([known[label] for label in second])
    observed = float((one == two).mean())
    shares = np.bincount(one, minlength=len(known)) @ np.bincount(two, minlength=len(known)) / len(one) ** 2
    return 1.0 if shares == 1.0 else (observed - float(shares)) / (1.0 - float(shares))


def stability(kappas: Sequence[float], agreed: float = AGREED, window: int = WINDOW) -> Stability:
    """Whether to stop, by how far successive models agree on a fixed set of unlabeled examples.

    Bloodgood and Vijay-Shanker (2009), A method for stopping active learning based on stabilizing predictions and the
    need for user-adjustable stopping: stop once the mean kappa of the last three pairs reaches 0.99. It says that
    more labels *of the kind being asked* barely change what the model says, not that what it says is right.

    Args:
        kappas: Of each model with the one before, oldest first.
        agreed: The mean from which predictions count as settled; lower stops earlier.
        window: How many pairs the mean is over.
    """
    found = tuple(kappas)
    if len(found) < window:
        missing = window - len(found)
        more = "one more model version" if missing == 1 else f"{missing} more model versions"
        return Stability(found, None, False, f"Too early to say: train {more} after labeling.")
    recent = float(np.mean(found[-window:]))
    if recent >= agreed:
        said = (
            f"The last {window + 1} versions agree on unlabeled text by {recent:.3f}: more labels chosen this way "
            "barely change what the model says. Stop, or ask for something else."
        )
    else:
        said = (
            f"The last {window + 1} versions agree on unlabeled text by {recent:.3f}, less than {agreed}: "
            "each round still changes what the model says."
        )
    return Stability(found, recent, recent >= agreed, said)
