"""What a line of the audit log says beside who, what and of what: as words, not as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workbench.domain import AuditEvent

NOTHING: tuple[Any, ...] = (None, "", [], {})


def more(event: AuditEvent) -> str:
    """Everything else that the line holds: ``people 1 → 2 · agree 2 → 3``, ``annotations 1,204 · batch 2``."""
    return " · ".join(_told(event.data))


def _told(data: Mapping[str, Any]) -> Iterator[str]:
    rest = dict(data)
    if {"from", "to"} <= rest.keys():
        yield from _moved(rest.pop("from"), rest.pop("to"))
    for name, value in rest.items():
        if value not in NOTHING and value is not False:
            yield from _pair(_words(name), value)


def _moved(old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in new:
            if old.get(name) != new[name]:
                yield f"{_words(name)} {_value(old.get(name))} → {_value(new[name])}"
    else:
        yield f"{_value(old)} → {_value(new)}"


def _pair(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        inner = ", ".join(
            f"{_words(str(key))} {_value(one)}" for key, one in value.items() if one not in NOTHING
        )
        if inner:
            yield f"{name}: {inner}"
    elif value is True:
        yield name
    else:
        yield f"{name} {_value(value)}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(str(key))} {_value(one)}" for key, one in value.items())
    return str(value)
