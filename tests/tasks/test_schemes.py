"""Every scheme writes what it reads, and the lenient reader agrees with seqeval's."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

from workbench.errors import InvalidInput, UnknownName
from workbench.tasks import schemes
from workbench.tasks.schemes import (
    SCHEMES,
    TokenSpan,
    detect_scheme,
    illegal_positions,
    split_tag,
    strict_spans,
    tags_of,
    token_spans,
)

LABELS = ("PER", "ORG", "B-cell", "É")


@st.composite
def chunked(draw: st.DrawFn) -> tuple[list[TokenSpan], int]:
    """Sorted chunks that don't overlap, and a number of tokens that holds them."""
    spans, position = [], 0
    for _ in range(draw(st.integers(0, 6))):
        start = position + draw(st.integers(0, 2))
        position = start + draw(st.integers(1, 4))
        spans.append(TokenSpan(start, position, draw(st.sampled_from(LABELS))))
    return spans, position + draw(st.integers(0, 2))


@given(chunked(), st.sampled_from([name for name in SCHEMES if name != "IO"]))
def test_tags_read_back_as_the_spans_they_were_written_from(case: tuple[list[TokenSpan], int], scheme: str):
    spans, length = case
    tags = tags_of(spans, length, scheme)
    assert len(tags) == length
    assert token_spans(tags) == spans
    assert strict_spans(tags, scheme) == spans
    assert illegal_positions(tags, scheme) == []


@given(chunked())
def test_io_merges_only_neighbours_of_one_label(case: tuple[list[TokenSpan], int]):
    spans, length = case
    labels: list[str | None] = [None] * length
    for span in spans:
        labels[span.start : span.end] = [span.label] * (span.end - span.start)
    read: list[str | None] = [None] * length
    for span in token_spans(tags_of(spans, length, "IO")):
        read[span.start : span.end] = [span.label] * (span.end - span.start)
    assert read == labels


any_tags = st.lists(st.sampled_from(["O"] + [f"{p}-{name}" for p in "BIES" for name in ("PER", "ORG")]))


@given(any_tags)
def test_lenient_reading_is_seqevals(tags: list[str]):
    assert [(span.label, span.start, span.end - 1) for span in token_spans(tags)] == get_entities(tags)


@given(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-ORG", "I-ORG"]), min_size=1))
def test_strict_reading_of_iob2_is_seqevals(tags: list[str]):
    entities = Entities([tags], IOB2).entities[0]
    assert sorted(strict_spans(tags, "IOB2")) == sorted((e.start, e.end, e.tag) for e in entities)


@given(any_tags, st.sampled_from(SCHEMES))
def test_strict_chunks_are_among_the_lenient_ones_and_legal_tags_lose_none(tags: list[str], scheme: str):
    strict, lenient = strict_spans(tags, scheme), token_spans(tags)
    assert set(strict) <= set(lenient)
    if not illegal_positions(tags, scheme):
        assert strict == lenient


@pytest.mark.parametrize(
    ("tags", "scheme", "illegal"),
    [
        (["I-PER", "I-PER"], "IOB2", [0]),
        (["B-PER", "I-ORG"], "IOB2", [1]),
        (["B-PER"], "IOB1", [0]),
        (["I-PER", "B-PER"], "IOB1", []),
        (["B-PER", "O"], "BIOES", [0]),
        (["B-PER", "I-PER", "E-PER", "S-ORG"], "BIOES", []),
        (["B-PER", "L-PER", "U-ORG"], "BILOU", []),
        (["B-PER"], "IO", [0]),
    ],
)
def test_illegal_tags_are_found_where_they_stand(tags: list[str], scheme: str, illegal: list[int]):
    assert illegal_positions(tags, scheme) == illegal


@pytest.mark.parametrize(
    ("rows", "scheme"),
    [
        ([["B-PER", "I-PER", "O"], ["O", "B-ORG"]], "IOB2"),
        ([["I-PER", "I-PER", "O"], ["I-ORG", "B-ORG"]], "IOB1"),
        ([["B-PER", "E-PER"], ["S-ORG"]], "BIOES"),
        ([["B-PER", "L-PER"], ["U-ORG"]], "BILOU"),
        ([["O", "O"]], "IOB2"),
    ],
)
def test_the_scheme_is_found(rows: list[list[str]], scheme: str):
    assert detect_scheme(rows) == scheme


def test_labels_may_hold_hyphens_and_other_tags_are_refused():
    assert split_tag("B-cell-line") == ("B", "cell-line")
    for bad in ("OO", "PER", "B-", "-PER", "X-PER", ""):
        with pytest.raises(InvalidInput, match="is not a chunk tag"):
            split_tag(bad)
    with pytest.raises(UnknownName, match="IOB2"):
        strict_spans(["O"], "IOB3")
    with pytest.raises(InvalidInput, match="overlaps"):
        tags_of([TokenSpan(0, 2, "A"), TokenSpan(1, 3, "A")], 3)


def test_docstring_examples():
    assert doctest.testmod(schemes).failed == 0
