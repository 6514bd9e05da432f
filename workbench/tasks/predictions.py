"""Predictions as JSON: what a run writes, the database keeps and a page reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.domain import Prediction
from workbench.errors import InvalidPayload
from workbench.tasks.base import Task, get_task


def dump_prediction(task: Task | str, prediction: Prediction) -> dict[str, Any]:
    """``{"payload", "confidence", "confidences", "uncertainty", "alternatives"}``, of JSON's own types only."""
    known = get_task(task) if isinstance(task, str) else task
    return {
        "payload": known.dump(prediction.payload),
        "confidence": prediction.confidence,
        "confidences": list(prediction.confidences),
        "uncertainty": list(prediction.uncertainty),
        "alternatives": _lists(prediction.alternatives),
    }


def load_prediction(task: Task | str, data: Mapping[str, Any]) -> Prediction:
    """The prediction again; keys beside its own are not looked at. Raises InvalidPayload."""
    known = get_task(task) if isinstance(task, str) else task
    try:
        return Prediction(
            payload=known.load(data["payload"]),
            confidence=float(data["confidence"]),
            confidences=tuple(map(float, data.get("confidences", ()))),
            uncertainty=tuple(map(float, data.get("uncertainty", ()))),
            alternatives=_tuples(data.get("alternatives", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidPayload(
            f"this is no stored prediction ({error!r})", remedy="score the examples again"
        ) from None


def _lists(value: tuple[Any, ...]) -> list[Any]:
    return [_lists(item) if type(item) is tuple else item for item in value]


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, (list, tuple)) else value
