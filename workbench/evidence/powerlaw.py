"""Where a learning curve is heading: ``score(n) = ceiling - drop * n ** -rate``.

The inverse power law of Hestness et al. (2017), Deep learning scaling is predictable, empirically, and, for curves
as short as those of annotation, of Figueroa et al. (2012), Predicting sample size required for classification
performance, who weigh later points more, as this does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.evidence.curves import NORMAL, STUDENT, Curve, Floats

ENOUGH = 4
"""Three numbers are fitted: with fewer points the fit would say nothing about its own error."""

RATES = np.geomspace(0.05, 2.5, 60)
RESAMPLES = 400
SEED = 20_260


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value expected, with its 95 % interval."""

    value: float
    low: float
    high: float


class PowerLaw:
    """Power laws fitted to one curve: the best, and those of its bootstrap resamples.

    Attributes:
        fits: Ceiling, drop and rate, shape (1 + resamples, 3), the best first; drop is 0 or more.
        top: Highest score that the metric has: nothing beyond is predicted.
    """

    def __init__(self, fits: Floats, top: float) -> None:
        self.fits = fits
        self.top = top

    def at(self, cost: float) -> Estimate:
        """The score expected at a cost."""
        return self._estimate(self._values(cost))

    def gain(self, before: float, after: float) -> Estimate:
        """What the score is expected to rise by from one cost to a higher one."""
        return self._estimate(self._values(after) - self._values(before))

    @property
    def ceiling(self) -> Estimate:
        """The score that it would reach with labels without end; the least certain of all its figures."""
        return self._estimate(np.clip(self.fits[:, 0], 0.0, self.top))

    def _values(self, cost: float) -> Floats:
        ceiling, drop, rate = self.fits.T
        values: Floats = np.clip(ceiling - drop * np.power(cost, -rate), 0.0, self.top)
        return values

    @staticmethod
    def _estimate(values: Floats) -> Estimate:
        low, high = np.percentile(values, [2.5, 97.5])
        return Estimate(float(values[0]), float(low), float(high))


def fit_power_law(found: Curve, top: float = 1.0) -> PowerLaw | None:
    """Fit by weighted least squares; the interval comes of resampled residuals (Efron 1979).

    Each rate of a grid leaves a straight line in ``n ** -rate``, solved exactly, so that no start has to be guessed.

    Args:
        found: Costs above 0 and scores.
        top: Highest score that the metric has, 1 or 100.

    Returns:
        None where there are fewer than four points.
    """
    x, y = found
    if len(x) < ENOUGH:
        return None
    weights = np.sqrt(x / x[-1])
    best = _fit(x, y[None, :], weights, top)[0]
    fitted = best[0] - best[1] * x ** -best[2]
    residuals = (y - fitted) * np.sqrt(weights)
    # Three numbers were fitted to these residuals, which therefore are smaller than the errors they stand for, and
    # how much smaller is a guess from few points: both widen the interval, as Student's t would.
    free = len(x) - 3
    wider = STUDENT[min(free, len(STUDENT)) - 1] / NORMAL
    residuals = (residuals - residuals.mean()) * np.sqrt(len(x) / free) * wider
    drawn = np.random.default_rng(SEED).choice(residuals, size=(RESAMPLES, len(x)))
    again = _fit(x, fitted + drawn / np.sqrt(weights), weights, top)
    return PowerLaw(np.vstack([best[None, :], again]), top)


def _fit(x: Floats, ys: Floats, weights: Floats, top: float) -> NDArray[np.float64]:
    """The best (ceiling, drop, rate) for each row of ``ys``, shape (rows, 3)."""
    total = weights.sum()
    errors, ceilings, drops = [], [], []
    mean_y = ys @ weights / total
    for rate in RATES:
        z = x**-rate
        mean_z = float(z @ weights / total)
        spread = float(((z - mean_z) ** 2) @ weights)
        drop = np.maximum(-(((ys - mean_y[:, None]) * (z - mean_z)) @ weights) / spread, 0.0)
        ceiling = np.minimum(mean_y + drop * mean_z, top)
        # Where the ceiling would exceed what the metric can reach, the line through it that fits best.
        capped = ceiling >= top
        drop = np.where(capped, np.maximum(((top - ys) * z) @ weights / ((z**2) @ weights), 0.0), drop)
        errors.append(((ys - (ceiling[:, None] - drop[:, None] * z)) ** 2) @ weights)
        ceilings.append(ceiling)
        drops.append(drop)
    chosen = np.argmin(np.array(errors), axis=0)
    row = np.arange(len(ys))
    return np.stack([np.array(ceilings)[chosen, row], np.array(drops)[chosen, row], RATES[chosen]], axis=1)
