"""Checks that every task type makes of payloads and their JSON form."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from workbench.domain import Answers, ExampleText, Payload
from workbench.errors import InvalidPayload

T = TypeVar("T")
_LISTED = 20


LONGEST_QUESTION = 2_000
"""Characters of a question that is asked or worded here."""


def as_asked(content: ExampleText, payload: Payload | None) -> ExampleText:
    """An example as the author of these labels read it: a question that they worded anew is theirs."""
    if not isinstance(payload, Answers) or payload.question is None:
        return content
    return replace(content, question=payload.question)


def check_question(text: str) -> None:
    """Raise InvalidPayload unless a text can be asked as a question."""
    if not text.strip():
        raise InvalidPayload("the question is empty", remedy="write one, or leave it as it was")
    if len(text) > LONGEST_QUESTION:
        raise InvalidPayload(
            f"the question has {len(text):,} characters", remedy=f"keep it under {LONGEST_QUESTION:,}"
        )
    if any(
        unicodedata.category(character) in {"Cc", "Cs"} for character in text if character not in "\n\r\t"
    ):
        raise InvalidPayload(
            "the question holds a character that can't be shown", remedy="type it without control characters"
        )


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
    if isinstance(value, list) and all(type(item) is dict or isinstance(item, Mapping) for item in value):
        return value
    raise InvalidPayload(f"{key!r} is missing or no list of objects", remedy=f'give {{"{key}": [{{…}}]}}')


def integer(item: Mapping[str, Any], key: str) -> int:
    """The whole number, 0 or more, at ``key``. Raises InvalidPayload."""
    value = item.get(key)
    if type(value) is int and value >= 0:
        return value
    raise InvalidPayload(f"{key!r} is {value!r}", remedy="give a whole number, counted in code points from 0")


def text_of(item: Mapping[str, Any], key: str) -> str:
    """The text at ``key``, not empty. Raises InvalidPayload."""
    value = item.get(key)
    if isinstance(value, str) and value:
        return value
    raise InvalidPayload(f"{key!r} is {value!r}", remedy="give a text that is not empty")


def flag(data: Mapping[str, Any], key: str) -> bool:
    """The true or false at ``key``, false where it is missing. Raises InvalidPayload."""
    value = data.get(key, False) if isinstance(data, Mapping) else False
    if type(value) is bool:
        return value
    raise InvalidPayload(f"{key!r} is {value!r}", remedy="give true or false, or leave it away")
