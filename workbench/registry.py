"""Names to things: how task types, formats, strategies, launchers and base models are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from workbench.errors import UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """A mapping from names to registered things that says what it knows when asked for what it does not.

    >>> colours = Registry[int]("colour")
    >>> colours.add("red", 1)
    1
    >>> colours["red"]
    1
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Register ``item``; a name can be given once. Raises ValueError on a second time."""
        if name in self._items:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._items[name] = item
        return item

    def register(self, name: str) -> Callable[[T], T]:
        """The same as a decorator."""
        return lambda item: self.add(name, item)

    def __getitem__(self, name: str) -> T:
        """The thing of that name. Raises UnknownName, which lists the known ones."""
        try:
            return self._items[name]
        except KeyError:
            raise UnknownName(self.kind, name, self._items) from None

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> list[tuple[str, T]]:
        """Pairs in the order of registration."""
        return list(self._items.items())
