"""JSON of other people: parsed with every way of failing turned into a FormatError that names the line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from workbench.errors import FormatError

MAX_DEPTH = 50
"""Nesting of what is kept as an example's ``meta``."""


def parse(text: str, file: str, line: int = 1) -> Any:
    """The value of a JSON text.

    Args:
        text: The text.
        file: The file's name, for messages.
        line: Number of the text's first line in the file.

    Raises:
        FormatError: It is no JSON, holds NaN or infinite numbers, or is nested too deep.
    """

    def no_number(name: str) -> NoReturn:
        raise FormatError(
            f"holds {name}, which is no JSON number", file=file, line=line, remedy="write null instead"
        )

    try:
        return json.loads(text, parse_constant=no_number)
    except json.JSONDecodeError as error:
        raise FormatError(
            f"is no valid JSON ({error.msg}, column {error.colno})",
            file=file,
            line=line + error.lineno - 1,
            remedy="mend the file or write it anew",
        ) from None
    except RecursionError:
        raise FormatError("is nested too deep", file=file, line=line, remedy="flatten it") from None
    except ValueError as error:
        raise FormatError(f"can't be read ({error})", file=file, line=line, remedy="mend the file") from None


def check_text(value: str, what: str, file: str, line: int | None = None) -> str:
    """The text, unless it holds what no database takes: NUL, or half of a surrogate pair (from JSON escapes)."""
    if "\0" in value:
        raise FormatError(f"{what} holds a NUL character", file=file, line=line, remedy="remove it")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FormatError(
            f"{what} holds half of a surrogate pair, which is no character",
            file=file,
            line=line,
            remedy="write the file anew with whole characters",
        ) from None
    return value


def check_meta(value: Any, file: str, line: int | None = None, depth: int = 0) -> Any:
    """A value that is kept beside an example, unless a database can't take it."""
    if depth > MAX_DEPTH:
        raise FormatError(
            f"is nested deeper than {MAX_DEPTH} levels", file=file, line=line, remedy="flatten it"
        )
    if isinstance(value, str):
        check_text(value, "a value", file, line)
    elif isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            raise FormatError(
                "holds a number that is too large", file=file, line=line, remedy="write it as text"
            )
    elif isinstance(value, Mapping):
        for key, item in value.items():
            check_text(key, "a key", file, line)
            check_meta(item, file, line, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_meta(item, file, line, depth + 1)
    return value


def expect(value: Any, kind: type | tuple[type, ...], what: str, file: str, line: int | None = None) -> Any:
    """The value, which is of the expected kind. Raises FormatError that says ``what`` should have been there."""
    if isinstance(value, kind) and not (isinstance(value, bool) and bool not in _kinds(kind)):
        return value
    found = "nothing" if value is None else type(value).__name__
    raise FormatError(
        f"{what} is expected, {found} is there",
        file=file,
        line=line,
        remedy="check the file against the format",
    )


def _kinds(kind: type | tuple[type, ...]) -> tuple[type, ...]:
    return kind if isinstance(kind, tuple) else (kind,)
