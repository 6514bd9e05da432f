"""Sums of a person's work, which can be added up: over days, people, labels."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Tally:
    """What somebody did, and what became of it.

    Attributes:
        examples: Distinct ones that were answered: labeled, skipped or flagged.
        words: In them.
        skipped: Answers that skip.
        flagged: Answers that doubt.
        revised: Answers to an example that the person had answered before.
        seconds: Logged with answers; of one that took longer than anybody reads, no more than that.
        timed: Answers with seconds.
        timed_words: Words of the examples of those.
        suggested: Examples that were labeled from a suggestion which is still known.
        unchanged: Those of them whose labels are the suggestion's.
        compared: Examples whose labels were compared with gold that is somebody else's word.
        same: Those of them with the very same labels.
        both: Labels that stand in both; for answers the sum of the examples' F1.
        own: Labels of the person's that gold does not have.
        missed: Labels of gold that the person does not have.
    """

    examples: int = 0
    words: int = 0
    skipped: int = 0
    flagged: int = 0
    revised: int = 0
    seconds: float = 0.0
    timed: int = 0
    timed_words: int = 0
    suggested: int = 0
    unchanged: int = 0
    compared: int = 0
    same: int = 0
    both: float = 0.0
    own: float = 0.0
    missed: float = 0.0

    def add(self, other: Tally) -> None:
        """Count the other's work in."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    @property
    def hours(self) -> float:
        """Logged ones."""
        return self.seconds / 3600.0

    @property
    def examples_per_hour(self) -> float | None:
        """Answers in an hour, over those with seconds."""
        return self.timed / self.hours if self.seconds else None

    @property
    def words_per_hour(self) -> float | None:
        """Words of them in an hour."""
        return self.timed_words / self.hours if self.seconds else None

    @property
    def acceptance(self) -> float | None:
        """Share of suggestions that were accepted as they were, 0..1."""
        return self.unchanged / self.suggested if self.suggested else None

    @property
    def f1(self) -> float | None:
        """Agreement with gold: F1 over labels (over examples for answers), 0..1."""
        total = 2 * self.both + self.own + self.missed
        return 2 * self.both / total if total else None


@dataclass(slots=True)
class LabelTally:
    """One label in somebody's work.

    Attributes:
        uses: How often the person has set it.
        seconds: Logged ones: an example's are shared evenly among its labels.
        suggested: How often suggestions had it, in examples that were labeled from one.
        kept: Those of them that stand as suggested.
        both: Of those in examples with gold of somebody else's: in both.
        own: Only the person's.
        missed: Only gold's.
    """

    uses: int = 0
    seconds: float = 0.0
    suggested: int = 0
    kept: int = 0
    both: int = 0
    own: int = 0
    missed: int = 0

    def add(self, other: LabelTally) -> None:
        """Count the other's in."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    @property
    def acceptance(self) -> float | None:
        """Share of its suggestions that were kept, 0..1."""
        return self.kept / self.suggested if self.suggested else None

    @property
    def f1(self) -> float | None:
        """Agreement with gold, 0..1."""
        total = 2 * self.both + self.own + self.missed
        return 2 * self.both / total if total else None
