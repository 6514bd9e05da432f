"""The figures of an evaluation as a flat table, by names that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LEFT_OUT = ("examples", "tokens", "entities", "support", "has_answer_examples", "no_answer_examples")
WORDS = {"f1": "F1", "ece": "ECE", "squad_v1": "SQuAD 1.1"}


def left_out(partial: int) -> str:
    """What to say behind a number of examples where some more have partial labels; nothing where there are none.

    >>> "on 40 examples" + left_out(3)
    'on 40 examples (3 with partial labels left out)'
    """
    return f" ({partial:,} with partial labels left out)" if partial else ""


def plain_figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Figures by name: ``F1``, ``strict (IOB2): precision``, ``partial: F1``, ``PER: recall``, ``ECE of words``."""
    found: dict[str, float] = {}
    for key, value in metrics.items():
        if key in LEFT_OUT or key == "confidence_interval":
            continue
        if isinstance(value, float):
            found[_name(key)] = value
        elif key in ("per_label", "per_tag"):
            for label, row in value.items():
                found |= {f"{label}: {_name(k)}": v for k, v in row.items() if isinstance(v, float)}
        elif key == "calibration":
            found |= {f"ECE of {kind}": row["ece"] for kind, row in value.items()}
        elif key == "overlap":
            for kind, row in value.items():
                found |= {f"{kind}: {_name(k)}": v for k, v in row.items() if isinstance(v, float)}
        elif isinstance(value, Mapping):
            name = f"{_name(key)} ({value['scheme']})" if "scheme" in value else _name(key)
            found |= {f"{name}: {_name(k)}": v for k, v in value.items() if isinstance(v, float)}
    return found


def _name(key: str) -> str:
    return WORDS.get(key) or " ".join(WORDS.get(word, word) for word in key.split("_"))
