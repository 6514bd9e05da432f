"""The error tree: one root, one line a message, and a docstring that lists what there is."""

from __future__ import annotations

import inspect
import re

import pytest

from workbench import errors
from workbench.errors import FormatError, UnknownName, WorkbenchError

TREE = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == errors.__name__
]


def test_everything_has_one_root() -> None:
    assert all(issubclass(error, WorkbenchError) for error in TREE)


def test_the_module_docstring_draws_the_whole_tree() -> None:
    drawn = set(re.findall(r"[─ ] ?([A-Z][A-Za-z]+)", errors.__doc__ or ""))
    assert {error.__name__ for error in TREE} <= drawn


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (WorkbenchError("it is wrong"), "it is wrong"),
        (WorkbenchError("it is\nwrong", remedy="mend it"), "it is wrong. Mend it"),
        (WorkbenchError("it is wrong.", where="field x", remedy="mend it"), "field x: it is wrong. Mend it"),
        (FormatError("2 columns, not 4", file="a.conll", line=7), "a.conll, line 7: 2 columns, not 4"),
        (FormatError("no data", file="a.json"), "a.json: no data"),
        (FormatError("bad token", line=3), "line 3: bad token"),
        (
            UnknownName("task type", "nre", ["qa", "ner"]),
            "there is no task type named 'nre'. Choose from ner, qa",
        ),
    ],
)
def test_a_message_is_one_line_with_place_and_remedy(error: WorkbenchError, line: str) -> None:
    assert str(error) == line
