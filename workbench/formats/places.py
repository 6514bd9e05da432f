"""Where values lie in a JSON text, so that one can be replaced and every other byte left alone.

>>> text = '{"a": [ {"b": 1, "c": "x"} ]}'
>>> found = find_values(text, ("a", "*", "b"))
>>> [(path, text[start:end]) for path, start, end in found]
[(('a', 0, 'b'), '1')]
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_DECODER = json.JSONDecoder()
_SPACE = " \t\n\r"


def find_values(text: str, *patterns: Sequence[str]) -> list[tuple[Path, int, int]]:
    """The values at the paths that fit a pattern (``*`` fits any index), with their half-open ranges, in order.

    The text is valid JSON (it has been read before); values off the paths are skipped at the decoder's speed.
    """
    found: list[tuple[Path, int, int]] = []
    _walk(text, _skip(text, 0), (), [tuple(pattern) for pattern in patterns], found)
    return found


def _walk(
    text: str, place: int, path: Path, patterns: list[tuple[str, ...]], found: list[tuple[Path, int, int]]
) -> int:
    depth = len(path)
    inner = [pattern for pattern in patterns if len(pattern) > depth]
    if not inner or text[place] not in "{[":
        end = _DECODER.raw_decode(text, place)[1]
    elif text[place] == "{":
        end = _walk_object(text, place, path, inner, found)
    else:
        end = _walk_array(text, place, path, inner, found)
    if any(len(pattern) == depth for pattern in patterns):
        found.append((path, place, end))
    return end


def _walk_object(
    text: str, place: int, path: Path, patterns: list[tuple[str, ...]], found: list[tuple[Path, int, int]]
) -> int:
    place = _skip(text, place + 1)
    while text[place] != "}":
        key, place = _DECODER.raw_decode(text, place)
        place = _skip(text, _skip(text, place) + 1)
        fitting = [pattern for pattern in patterns if pattern[len(path)] == key]
        place = _skip(text, _walk(text, place, (*path, key), fitting, found))
        if text[place] == ",":
            place = _skip(text, place + 1)
    return place + 1


def _walk_array(
    text: str, place: int, path: Path, patterns: list[tuple[str, ...]], found: list[tuple[Path, int, int]]
) -> int:
    place = _skip(text, place + 1)
    index = 0
    fitting = [pattern for pattern in patterns if pattern[len(path)] == "*"]
    while text[place] != "]":
        place = _skip(text, _walk(text, place, (*path, index), fitting, found))
        index += 1
        if text[place] == ",":
            place = _skip(text, place + 1)
    return place + 1


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _SPACE:
        place += 1
    return place


def replaced(text: str, pieces: Iterable[tuple[int, int, str]]) -> str:
    """The text with half-open ranges, none overlapping another, replaced; pieces for one place keep their order."""
    result: list[str] = []
    place = 0
    for start, end, piece in sorted(pieces, key=lambda piece: piece[:2]):
        result += (text[place:start], piece)
        place = end
    return "".join((*result, text[place:]))
