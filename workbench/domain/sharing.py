"""How the work on a project is shared out among people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

LOT_STEP, LOT_SIZE = 618_033, 1_000_003
"""Ids, taken times the step, fall evenly over the lot: the step is the golden section of the (prime) size."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """How many people label an example, what then is gold, and who labels without help.

    Attributes:
        people: How many label each example of the share; everything else is labeled by one. 1 or more.
        share: Share of the examples that so many people label, 0..1, by lot.
        agree: So many of them must give the very same labels before these are gold; 1 takes the newest, as for
            examples of one person. Until then the example waits for a reviewer.
        blind: Share of the examples, drawn for each person anew, that they label without a suggestion, 0..1.
        documents: Whether a person is given the rest of the document that they labeled in last before anything else.
    """

    people: int = 1
    share: float = 1.0
    agree: int = 2
    blind: float = 0.0
    documents: bool = False

    @property
    def alone(self) -> bool:
        """Whether every example is one person's."""
        return self.people <= 1 or self.share <= 0

    @property
    def cut(self) -> int:
        """Lots below it are of the share."""
        return round(self.share * LOT_SIZE)

    def wanted(self, example_id: int) -> int:
        """How many people label the example."""
        return self.people if not self.alone and lot(example_id) < self.cut else 1

    def needed(self, example_id: int) -> int:
        """How many must agree before their labels are the example's gold."""
        wanted = self.wanted(example_id)
        return 1 if wanted == 1 else min(self.agree, wanted)

    def is_blind(self, example_id: int, user_id: int) -> bool:
        """Whether the person labels the example without a suggestion; the same at each call."""
        digest = hashlib.blake2b(f"{example_id}:{user_id}".encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big") < self.blind * 2**32

    def stored(self) -> dict[str, Any]:
        """The form in which a project's settings keep it."""
        return asdict(self)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Sharing:
        """What a project's settings say; one person an example where they say nothing."""
        return cls(**settings.get("sharing", {}))


def lot(example_id: int) -> int:
    """Where an example falls in the lot, 0 to ``LOT_SIZE`` - 1."""
    return example_id * LOT_STEP % LOT_SIZE
