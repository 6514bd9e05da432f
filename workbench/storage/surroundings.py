"""What stands around examples in their documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from sqlalchemy import Connection, and_, func, or_, select

from workbench.domain import Example
from workbench.storage.tables import examples

Texts: TypeAlias = tuple[list[str], list[str]]
"""Texts before and texts after an example, each list in reading order."""

Place: TypeAlias = tuple[int, int]
"""Document id and position."""


class Surroundings:
    """The part of the ``Examples`` repository that reads documents."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def texts_around(self, around: Sequence[Example], before: int, after: int) -> dict[int, Texts]:
        """At most so many texts just before and just after each example in its document, by example id.

        The questions of one context have one text: it is given once, and an example's own not at all.
        """
        asking = {one.id: self._around_question(one, before, after) for one in around if _asks(one)}
        tagged = [one for one in around if not _asks(one)]
        return asking | self._around_tagged(tagged, before, after)

    def _around_tagged(self, around: Sequence[Example], before: int, after: int) -> dict[int, Texts]:
        # The examples of a document nearly always have positions without gaps: one query brings them all. Where it
        # brings too few on a side, the document ends there or has a gap, and a second one makes sure.
        near = self._between((one.document_id, one.position - before, one.position + after) for one in around)
        found: dict[int, Texts] = {}
        for one in around:
            here, place = near.get(one.document_id, {}), one.position
            earlier = [here[at] for at in range(place - before, place) if at in here]
            later = [here[at] for at in range(place + 1, place + after + 1) if at in here]
            if len(earlier) < before:
                earlier = self._earlier((one.document_id, place), before)
            if len(later) < after:
                later = self._later((one.document_id, place), after)
            found[one.id] = (earlier, later)
        return found

    def _between(self, ranges: Iterable[tuple[int, int, int]]) -> dict[int, dict[int, str]]:
        """Texts by document and position, of ranges (document id, first position, last position)."""
        wanted = [
            and_(examples.c.document_id == document, examples.c.position.between(first, last))
            for document, first, last in _joined(ranges)
        ]
        found: dict[int, dict[int, str]] = defaultdict(dict)
        if wanted:
            columns = select(examples.c.document_id, examples.c.position, examples.c.text)
            for document, position, text in self._connection.execute(columns.where(or_(*wanted))):
                found[document][position] = text
        return found

    def _earlier(self, place: Place, limit: int) -> list[str]:
        of_document = examples.c.document_id == place[0], examples.c.position < place[1]
        query = select(examples.c.text).where(*of_document).order_by(examples.c.position.desc()).limit(limit)
        return list(self._connection.execute(query).scalars())[::-1]

    def _later(self, place: Place, limit: int) -> list[str]:
        of_document = examples.c.document_id == place[0], examples.c.position > place[1]
        query = select(examples.c.text).where(*of_document).order_by(examples.c.position).limit(limit)
        return list(self._connection.execute(query).scalars())

    def _around_question(self, example: Example, before: int, after: int) -> Texts:
        position = examples.c.position
        others = (
            select(examples.c.text)
            .where(examples.c.document_id == example.document_id, examples.c.text != example.content.text)
            .group_by(examples.c.text)
        )
        earlier = others.where(position < example.position).order_by(func.max(position).desc()).limit(before)
        later = others.where(position > example.position).order_by(func.min(position)).limit(after)
        found = [list(self._connection.execute(one).scalars()) for one in (earlier, later)]
        return found[0][::-1], found[1]


def _asks(example: Example) -> bool:
    return example.content.question is not None


def _joined(ranges: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Ranges of the same document that touch, as one."""
    joined: list[tuple[int, int, int]] = []
    for document, first, last in sorted(ranges):
        if joined and joined[-1][0] == document and first <= joined[-1][2] + 1:
            joined[-1] = (document, joined[-1][1], max(last, joined[-1][2]))
        else:
            joined.append((document, first, last))
    return joined
