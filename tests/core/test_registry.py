"""Registries: what is known, and what is said of what is not."""

from __future__ import annotations

import pytest

from workbench.errors import UnknownName
from workbench.registry import Registry


def test_a_name_is_given_once() -> None:
    registry = Registry[int]("number")
    registry.add("one", 1)
    with pytest.raises(ValueError, match="'one' is registered twice"):
        registry.add("one", 2)
    assert registry["one"] == 1


def test_an_unknown_name_lists_the_known_ones() -> None:
    registry = Registry[int]("number")
    registry.add("two", 2)
    registry.add("one", 1)
    with pytest.raises(UnknownName, match="no number named 'three'. Choose from one, two"):
        registry["three"]


def test_order_is_that_of_registration() -> None:
    registry = Registry[int]("number")
    registry.register("b")(2)
    registry.register("a")(1)
    assert list(registry) == ["b", "a"]
    assert registry.items() == [("b", 2), ("a", 1)]
    assert "a" in registry
    assert len(registry) == 2
