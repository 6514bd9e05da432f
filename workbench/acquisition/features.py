"""What one pass of a model leaves of each example beside its scores, for strategies that choose sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Features:
    """Row ``i`` of each array is example ``i``'s; an array that nobody made has no columns.

    Attributes:
        embeddings: Mean of the last hidden states over the example's sub-words, shape (examples, width).
        gradients: Sketch of the gradient that the last layer would get from the example under the labels that the
            model itself gives, shape (examples, sketch): scalar products of rows estimate those of the gradients.
        classes: Mean over the tokens of the probability of each class, shape (examples, classes).
        doubts: Mean over the tokens of each class's probability times the token's entropy as a share of the largest
            possible, shape (examples, classes): how much of the doubt is about which class.
    """

    embeddings: NDArray[Any]
    gradients: NDArray[Any]
    classes: NDArray[Any]
    doubts: NDArray[Any]

    def __len__(self) -> int:
        return len(self.embeddings)

    def has(self, name: str) -> bool:
        """Whether an array was made."""
        return bool(getattr(self, name).shape[1])

    def take(self, rows: NDArray[Any]) -> Features:
        """Some of the examples, by their rows, in that order."""
        return Features(*(getattr(self, name)[rows] for name in ARRAYS))

    def only(self, name: str) -> Features:
        """The same without the other arrays."""
        none = np.zeros((len(self), 0), dtype=np.float32)
        return Features(*(getattr(self, each) if each == name else none for each in ARRAYS))

    @classmethod
    def joined(cls, parts: Sequence[Features]) -> Features:
        """The examples of all parts, one after another. Raises ValueError where there is no part."""
        if not parts:
            raise ValueError("nothing to join")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS))

    @classmethod
    def nothing(cls, examples: int = 0) -> Features:
        """So many examples of which nothing is known."""
        return cls(*(np.zeros((examples, 0), dtype=np.float32) for _ in ARRAYS))


ARRAYS = tuple(field.name for field in fields(Features))
