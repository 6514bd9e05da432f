"""What stands around examples in their documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, takewhile
from operator import attrgetter
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, and_, func, or_, select

from workbench.domain import Example, Split
from workbench.domain.context import one_side, text_after, text_before
from workbench.storage.rows import id_chunks
from workbench.storage.tables import documents, examples
from workbench.storage.visible import BEYOND

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

    def contexts(self, ids: Sequence[int], context: int) -> dict[int, tuple[str, str]]:
        """What stands before and after sentences in their documents, as far as ``domain.context`` lets a model read it.

        Two queries for some hundred sentences, not one for each. They read a document from the first of these to the
        last and ``context`` sentences beyond: more than that on either side is never needed, for each has a sub-word.

        Args:
            ids: Of examples of one project.
            context: Sub-words on each side.

        Returns:
            By id of the example. A question has none, and is not among them.
        """
        places = sorted(place for part in id_chunks(ids) for place in self._places(part))
        found: dict[int, tuple[str, str]] = {}
        for some in id_chunks(places):
            wanted = {example_id for _, _, example_id in some}
            for document in self._documents(some, context):
                for at, sentence in enumerate(document):
                    if sentence.id in wanted:
                        earlier = (document[place] for place in range(at - 1, -1, -1))
                        later = (document[place] for place in range(at + 1, len(document)))
                        found[sentence.id] = (
                            text_before(_readable(sentence, earlier), context),
                            text_after(_readable(sentence, later), context),
                        )
        return found

    def _places(self, ids: Sequence[int]) -> Iterator[tuple[int, int, int]]:
        """Position, document and id of sentences."""
        columns = select(examples.c.position, examples.c.document_id, examples.c.id)
        for row in self._connection.execute(
            columns.where(examples.c.id.in_(ids), examples.c.question.is_(None))
        ):
            yield row.position, row.document_id, row.id

    def _documents(self, places: Sequence[tuple[int, int, int]], context: int) -> Iterator[list[Row[Any]]]:
        """The sentences from the first to the last of these places and ``context`` beyond on each side, by document."""
        first, last = places[0][0], places[-1][0]
        position = examples.c.position
        beyond = select(position).where(examples.c.document_id == documents.c.id).limit(1).offset(context - 1)
        begin = beyond.where(position < first).order_by(position.desc()).scalar_subquery()
        end = beyond.where(position > last).order_by(position).scalar_subquery()
        near = (
            select(
                documents.c.id,
                func.coalesce(begin, 0).label("begin"),
                func.coalesce(end, BEYOND).label("end"),
            )
            .where(documents.c.id.in_({document for _, document, _ in places}))
            .subquery()
        )
        sentences = (
            select(examples.c.id, examples.c.document_id, examples.c.split, examples.c.text)
            .join(near, near.c.id == examples.c.document_id)
            .where(position.between(near.c.begin, near.c.end))
            .order_by(examples.c.document_id, position)
        )
        rows: Iterable[Row[Any]] = self._connection.execute(sentences)
        for _, document in groupby(rows, key=attrgetter("document_id")):
            yield list(document)

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


def _readable(sentence: Row[Any], nearest_first: Iterable[Row[Any]]) -> Iterator[str]:
    """The texts of neighbours up to the first that the sentence may not be read with."""
    split = Split(sentence.split)
    for other in takewhile(lambda other: one_side(split, Split(other.split)), nearest_first):
        yield other.text


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
