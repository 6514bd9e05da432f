"""Checks that every task type makes of payloads and their JSON form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from workbench.errors import InvalidPayload

T = TypeVar("T")
_LISTED = 20


def expect(payload: object, kind: type[T]) -> T:
    """The payload, which is of the task's own kind. Raises InvalidPayload."""
    if isinstance(payload, kind):
        return payload
    raise InvalidPayload(
        f"these labels are {type(payload).__name__}, not {kind.__name__}",
        remedy=f"give labels of the project's task type ({kind.__name__})",
    )


def check_label(label: str, labels: Sequence[str]) -> None:
    """Raise InvalidPayload unless the label is one of the set."""
    if label in labels:
        return
    known = ", ".join(labels[:_LISTED]) or "none yet"
    if len(labels) > _LISTED:
        known += f" and {len(labels) - _LISTED} more"
    raise InvalidPayload(
        f"{label!r} is not in the label set", remedy=f"use one of the project's labels ({known})"
    )


def items(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The list of objects at ``key``. Raises InvalidPayload."""
    value = data.get(key) if isinstance(data, Mapping) else None
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        return value
    raise InvalidPayload(f"{key!r} is missing or no list of objects", remedy=f'give {{"{key}": [{{…}}]}}')


def integer(item: Mapping[str, Any], key: str) -> int:
    """The whole number, 0 or more, at ``key``. Raises InvalidPayload."""
    value = item.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise InvalidPayload(f"{key!r} is {value!r}", remedy="give a whole number, counted in code points from 0")


def text_of(item: Mapping[str, Any], key: str) -> str:
    """The text at ``key``, not empty. Raises InvalidPayload."""
    value = item.get(key)
    if isinstance(value, str) and value:
        return value
    raise InvalidPayload(f"{key!r} is {value!r}", remedy="give a text that is not empty")
