"""How far people agree beyond chance: several raters, missing values, and labels that only some of them gave.

Two raters are compared by Cohen's kappa, which ``workbench.evidence.stability.kappa`` computes. Labels may be
anything that can be hashed; None is a value that is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


def fleiss_kappa(counts: ArrayLike) -> float | None:
    """Fleiss' kappa of raters of whom as many rated each unit, whoever they were.

    Fleiss, 1971: Measuring nominal scale agreement among many raters. At most 1; 0 is what chance would give.

    Args:
        counts: Shape (units, categories): how many raters put the unit into the category. Every row adds up to the
            same number of raters, 2 or more.

    Returns:
        None where there are no units, or where all raters put everything into one category: then there is nothing
        that chance could be told from.

    Raises:
        ValueError: Rows add up to different numbers, or to fewer than 2.

    >>> round(fleiss_kappa([[2, 0], [1, 1], [0, 2], [0, 2]]), 3)
    0.467
    """
    table = np.asarray(counts, dtype=np.float64)
    if not table.size:
        return None
    raters = table.sum(axis=1)
    n = float(raters[0])
    if (raters != n).any() or n < 2:
        raise ValueError("every unit needs the same number of raters, 2 or more")
    observed = float(((table**2).sum(axis=1) - n).mean() / (n * (n - 1)))
    shares = table.sum(axis=0) / table.sum()
    expected = float((shares**2).sum())
    return None if expected == 1.0 else (observed - expected) / (1.0 - expected)


def krippendorff_alpha(units: Sequence[Sequence[Hashable | None]]) -> float | None:
    """Krippendorff's alpha for nominal values, any number of raters and missing values.

    Krippendorff, 2011: Computing Krippendorff's alpha-reliability. At most 1; 0 is what chance would give.

    Args:
        units: What each rater said of each unit; None where they said nothing. Units of fewer than two values don't
            count.

    Returns:
        None where no unit has two values, or where all of them are one and the same.

    >>> krippendorff_alpha([["a", "a"], ["b", "b"], ["a", None]])
    1.0
    """
    same, totals, paired = 0.0, Counter[Hashable](), 0
    for unit in units:
        said = Counter(value for value in unit if value is not None)
        values = said.total()
        if values < 2:
            continue
        paired += values
        totals += said
        same += sum(count * (count - 1) for count in said.values()) / (values - 1)
    expected = paired**2 - sum(count**2 for count in totals.values())
    if not expected:
        return None
    return 1.0 - (paired - 1) * (paired - same) / expected


@dataclass(frozen=True, slots=True)
class Shared:
    """Marks that two raters set: how many both did, and how many only one of them.

    Addable; ``f1`` is the same whichever of the two is taken for the truth (Hripcsak and Rothschild, 2005).
    """

    both: int = 0
    first: int = 0
    second: int = 0

    @property
    def f1(self) -> float | None:
        """Twice what both set over all that either set, 0..1; None where neither set anything."""
        everything = 2 * self.both + self.first + self.second
        return 2 * self.both / everything if everything else None

    def __add__(self, other: Shared) -> Shared:
        return Shared(self.both + other.both, self.first + other.first, self.second + other.second)


def shared(first: Collection[Hashable], second: Collection[Hashable]) -> Shared:
    """What two raters have in common; a mark that is there twice counts twice."""
    one, two = Counter(first), Counter(second)
    both = (one & two).total()
    return Shared(both, one.total() - both, two.total() - both)
