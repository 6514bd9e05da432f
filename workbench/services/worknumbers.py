"""Pace, hours, agreement with gold, acceptance of suggestions: per person, label and day."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from workbench.domain import AnnotationStatus, Answers, ExampleText, Json, Payload, Project, User, is_partial
from workbench.errors import InvalidInput
from workbench.evidence.cost import LONGEST
from workbench.evidence.worktally import LabelTally, Tally
from workbench.formats.formulas import as_text
from workbench.services.agreement import likeness, marks
from workbench.storage.rows import now
from workbench.storage.store import Store, Transaction
from workbench.storage.worknumbers import WorkRow
from workbench.tasks import Task, common_ground, get_task

MOST_DAYS = 3_660
USUAL_DAYS = 30
"""What is looked at first."""


@dataclass(frozen=True)
class TeamNumbers:
    """What people did in a project, in UTC days.

    Attributes:
        days: Of each person each day's work.
        labels: Of each person each label.
    """

    days: Mapping[str, Mapping[date, Tally]]
    labels: Mapping[str, Mapping[str, LabelTally]]

    def person(self, name: str) -> Tally:
        """All that a person did."""
        return _sum(self.days[name].values())

    @property
    def people(self) -> dict[str, Tally]:
        """Everybody's whole work, by name."""
        return {name: self.person(name) for name in sorted(self.days)}

    @property
    def everybody(self) -> Tally:
        """All of it together; an example that several people labeled counts for each."""
        return _sum(self.people.values())

    @property
    def all_labels(self) -> dict[str, LabelTally]:
        """Each label over everybody, by name."""
        found: dict[str, LabelTally] = {}
        for name in sorted(self.labels):
            for label, tally in self.labels[name].items():
                found.setdefault(label, LabelTally()).add(tally)
        return dict(sorted(found.items()))


class WorkNumberService:
    """Count a team's work."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def team(self, project: Project, days: int | None = None) -> TeamNumbers:
        """Everybody's figures, of so many days up to now or of all.

        Raises:
            InvalidInput: The number of days makes no sense.
        """
        return self._count(project, days, None)

    def own(self, project: Project, user: User, days: int | None = None) -> TeamNumbers:
        """A person's own figures; see ``team``."""
        return self._count(project, days, user.id)

    def _count(self, project: Project, days: int | None, user_id: int | None) -> TeamNumbers:
        since = None
        if days is not None:
            if not 1 <= days <= MOST_DAYS:
                raise InvalidInput(f"{days} days can't be counted", remedy=f"say 1 to {MOST_DAYS:,}")
            today = now().replace(hour=0, minute=0, second=0, microsecond=0)
            since = today - timedelta(days=days - 1)
        with self._store.read() as tx:
            sharing = tx.projects.by_id(project.id).sharing
            agreed = not sharing.alone and sharing.agree > 1
            stamp = (
                tx.work_numbers.stamp(),
                tx.models.gold_stamp(),
                tx.sizes.stamp(project.id),
                tx.runs.last_finished(project.id),
                agreed,
            )
            count = partial(_counted_from_rows, tx, project, since, user_id, agreed)
            return tx.once(("work", project.id, since, user_id), stamp, count)


def _counted_from_rows(
    tx: Transaction, project: Project, since: datetime | None, user_id: int | None, agreed: bool
) -> TeamNumbers:
    counted = _Counting(get_task(project.task))
    rows = tx.work_numbers.rows(
        project.id, user_id=user_id, since=since, texts=project.task == "qa", agreed=agreed
    )
    for _, of_example in groupby(rows, key=lambda row: (row.person, row.example_id)):
        counted.example(list(of_example))
    return TeamNumbers(counted.days, counted.labels)


class _Counting:
    """Goes through what each person said of each example."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.days: dict[str, dict[date, Tally]] = {}
        self.labels: dict[str, dict[str, LabelTally]] = {}

    def example(self, rows: list[WorkRow]) -> None:
        """Everything that one person said of one example, oldest first."""
        said = [row for row in rows if not row.written]
        for place, row in enumerate(said):
            self._answer(row, first=place == 0)
        last, now_said = (said[-1] if said else None), rows[-1]
        if last is None or now_said.status != AnnotationStatus.ACCEPTED or not now_said.newest:
            return
        if last.status == AnnotationStatus.ACCEPTED and last.from_suggestion and last.suggested is not None:
            self._suggestion(last, last.suggested)
        if now_said.gold is not None and now_said.payload is not None:
            self._compare(last, now_said.payload, now_said.gold, now_said)
        self._uses(said, now_said)

    def _day(self, row: WorkRow) -> Tally:
        return self.days.setdefault(row.person, {}).setdefault(row.at.date(), Tally())

    def _label(self, row: WorkRow, label: str) -> LabelTally:
        return self.labels.setdefault(row.person, {}).setdefault(label, LabelTally())

    def _answer(self, row: WorkRow, *, first: bool) -> None:
        if row.status == AnnotationStatus.WITHDRAWN:
            return
        day = self._day(row)
        if first:
            day.examples += 1
            day.words += row.words
        else:
            day.revised += 1
        day.skipped += row.status == AnnotationStatus.SKIPPED
        day.flagged += row.status == AnnotationStatus.FLAGGED
        if row.seconds:
            day.seconds += min(row.seconds, LONGEST)
            day.timed += 1
            day.timed_words += row.words

    def _suggestion(self, row: WorkRow, suggested: Json) -> None:
        day = self._day(row)
        day.suggested += 1
        said = None if row.payload is None else self._task.load(row.payload)
        offered, given = self._marks(suggested), self._marks(row.payload)
        day.unchanged += offered == given and not is_partial(said)
        if said is not None:  # what a partial answer leaves out was not turned down
            offered, given = map(_counted, common_ground(self._task.load(suggested), said))
        for label, number in _by_label(offered):
            self._label(row, label).suggested += number
        for label, number in _by_label(offered & given):
            self._label(row, label).kept += number

    def _compare(self, row: WorkRow, payload: Json, right: Json, now_said: WorkRow) -> None:
        day = self._day(row)
        day.compared += 1
        own, gold = self._task.load(payload), self._task.load(right)
        if isinstance(own, Answers):
            alike = likeness(own, gold, ExampleText(now_said.text or "", (), None))
            day.same += alike == 1.0
            day.both, day.own, day.missed = day.both + alike, day.own + 1 - alike, day.missed + 1 - alike
            return
        mine, theirs = map(_counted, common_ground(own, gold))
        day.same += own == gold
        for name, part in (("both", mine & theirs), ("own", mine - theirs), ("missed", theirs - mine)):
            setattr(day, name, getattr(day, name) + part.total())
            for label, number in _by_label(part):
                tally = self._label(row, label)
                setattr(tally, name, getattr(tally, name) + number)

    def _uses(self, said: list[WorkRow], now_said: WorkRow) -> None:
        used = Counter(label for _, _, label in self._marks(now_said.payload).elements())
        seconds = sum(min(row.seconds, LONGEST) for row in said if row.seconds)
        for label, number in used.items():
            tally = self._label(now_said, label)
            tally.uses += number
            tally.seconds += seconds * number / used.total()

    def _marks(self, payload: Json | None) -> Counter[tuple[int, int, str]]:
        return Counter() if payload is None else _counted(self._task.load(payload))


def _counted(payload: Payload) -> Counter[tuple[int, int, str]]:
    """What is set, to be compared; of answers where they stand, or that there is none."""
    if isinstance(payload, Answers):
        found = [(one.start, one.end, "answer") for one in payload.answers]
        return Counter(found or [(0, 0, "no answer")])
    return Counter(marks(payload))


def _by_label(found: Counter[tuple[int, int, str]]) -> Iterator[tuple[str, int]]:
    yield from Counter(label for _, _, label in found.elements()).items()


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for one in tallies:
        total.add(one)
    return total


COLUMNS = (
    "examples",
    "words",
    "hours",
    "examples_per_hour",
    "words_per_hour",
    "skipped",
    "flagged",
    "revised",
    "suggested",
    "acceptance",
    "compared",
    "f1",
)
"""Figures of a person or a day, in the order of tables."""

LABEL_COLUMNS = ("uses", "seconds", "suggested", "acceptance", "f1")


def numbers_json(numbers: TeamNumbers) -> dict[str, Any]:
    """The document that the command prints."""
    return {
        "everybody": _figures(numbers.everybody, COLUMNS),
        "people": {
            name: {
                **_figures(tally, COLUMNS),
                "days": {
                    day.isoformat(): _figures(one, COLUMNS) for day, one in sorted(numbers.days[name].items())
                },
                "labels": {
                    label: _figures(one, LABEL_COLUMNS)
                    for label, one in sorted(numbers.labels.get(name, {}).items())
                },
            }
            for name, tally in numbers.people.items()
        },
        "labels": {label: _figures(one, LABEL_COLUMNS) for label, one in numbers.all_labels.items()},
    }


def table_rows(numbers: TeamNumbers, *, by_day: bool) -> list[dict[str, object]]:
    """Rows of a table: each person's work, or each person's on each day."""
    if not by_day:
        return [{"person": name, **_figures(one, COLUMNS)} for name, one in numbers.people.items()]
    return [
        {"person": name, "day": day.isoformat(), **_figures(one, COLUMNS)}
        for name in sorted(numbers.days)
        for day, one in sorted(numbers.days[name].items())
    ]


def write_table(path: Path, numbers: TeamNumbers) -> None:
    """Each person's every day as CSV, in which no spreadsheet computes anything."""
    rows = table_rows(numbers, by_day=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["person", "day", *COLUMNS])
        writer.writeheader()
        writer.writerows({name: as_text(value) for name, value in row.items()} for row in rows)


def label_rows(numbers: TeamNumbers) -> list[dict[str, object]]:
    """Rows of a table: each label of each person."""
    return [
        {"person": name, "label": label, **_figures(one, LABEL_COLUMNS)}
        for name in sorted(numbers.labels)
        for label, one in sorted(numbers.labels[name].items())
    ]


def _figures(tally: Tally | LabelTally, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(tally, name) for name in names}
