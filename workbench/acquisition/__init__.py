"""Query strategies: pure functions on arrays.

Every module of this package is imported here, so that a new strategy is one new file.
"""

from __future__ import annotations

import importlib
import pkgutil

from workbench.acquisition.base import STRATEGIES, AnswerView, Chosen, SetView, Strategy, TokenBatch

for _module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")

from workbench.acquisition.features import ARRAYS, Features  # noqa: E402
from workbench.acquisition.noise import noisy_scores  # noqa: E402
from workbench.acquisition.random_order import random_scores  # noqa: E402
from workbench.acquisition.rounds import MOST_WEIGHED, choose_in_rounds  # noqa: E402
from workbench.acquisition.scoring import (  # noqa: E402
    class_features,
    score_answers,
    score_tagging,
    score_tagging_batch,
    single_pass,
    strategies_for,
)

__all__ = [
    "ARRAYS",
    "MOST_WEIGHED",
    "STRATEGIES",
    "AnswerView",
    "Chosen",
    "Features",
    "SetView",
    "Strategy",
    "TokenBatch",
    "choose_in_rounds",
    "class_features",
    "noisy_scores",
    "random_scores",
    "score_answers",
    "score_tagging",
    "score_tagging_batch",
    "single_pass",
    "strategies_for",
]
