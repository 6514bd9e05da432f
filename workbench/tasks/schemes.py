"""Tagging schemes: per-token tags on one side, labeled token ranges on the other.

One lenient reader, with the rules of the CoNLL-2000 scorer ``conlleval``, reads well-formed tags of every
scheme rightly and ill-formed ones in the customary way; ``strict_spans`` takes only what its scheme allows.

>>> token_spans(["B-PER", "I-PER", "O", "I-LOC"])
[TokenSpan(start=0, end=2, label='PER'), TokenSpan(start=3, end=4, label='LOC')]
>>> strict_spans(["B-PER", "I-PER", "O", "I-LOC"], "IOB2")
[TokenSpan(start=0, end=2, label='PER')]
>>> tags_of([TokenSpan(0, 2, "PER"), TokenSpan(2, 3, "PER")], 4, "IOB1")
['I-PER', 'I-PER', 'B-PER', 'O']
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from workbench.errors import InvalidInput, UnknownName

OUTSIDE = "O"
SCHEMES = ("IOB1", "IOB2", "BIOES", "BILOU", "IO")

PREFIXES = {"IOB1": "IB", "IOB2": "BI", "BIOES": "BIES", "BILOU": "BILU", "IO": "I"}
_BEGIN, _INSIDE, _LAST, _SINGLE = "B", "I", "E", "S"
_SAME = {"IOBES": "BIOES", "BILUO": "BILOU", "BIO": "IOB2"}
_OPENING, _CLOSING = frozenset((_BEGIN, _SINGLE)), frozenset((_LAST, _SINGLE))
_CANONICAL = {"B": _BEGIN, "I": _INSIDE, "E": _LAST, "L": _LAST, "S": _SINGLE, "U": _SINGLE}


class TokenSpan(NamedTuple):
    """A labeled half-open range of token indexes, counted from 0."""

    start: int
    end: int
    label: str


def check_scheme(scheme: str) -> str:
    """The scheme's name in capitals; IOBES, BILUO and BIO are other names of three. Raises UnknownName."""
    name = _SAME.get(scheme.upper(), scheme.upper())
    if name not in PREFIXES:
        raise UnknownName("tagging scheme", scheme, SCHEMES)
    return name


@lru_cache(maxsize=4_096)
def split_tag(tag: str) -> tuple[str, str]:
    """Prefix and label of one tag: ``("B", "PER")``, or ``("O", "")``.

    Raises:
        InvalidInput: It is neither ``O`` nor a prefix, a hyphen and a label.
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, hyphen, label = tag.partition("-")
    if prefix in _CANONICAL and hyphen and label:
        return prefix, label
    raise InvalidInput(
        f"{tag!r} is not a chunk tag", remedy="write O, or a prefix, a hyphen and a label, as in B-PER"
    )


@lru_cache(maxsize=4_096)
def _canonical(tag: str) -> tuple[str, str]:
    prefix, label = split_tag(tag)
    return _CANONICAL.get(prefix, OUTSIDE), label


def token_spans(tags: Sequence[str]) -> list[TokenSpan]:
    """Chunks as ``conlleval`` reads them, whatever the scheme, in order.

    Raises:
        InvalidInput: A tag has no prefix that any scheme knows.
    """
    spans: list[TokenSpan] = []
    start = 0
    before, label = OUTSIDE, ""
    for index, tag in enumerate(tags):
        if tag == OUTSIDE:
            if label:
                spans.append(TokenSpan(start, index, label))
                before, label = OUTSIDE, ""
            continue
        now, name = _canonical(tag)
        if now in _OPENING or before in _CLOSING or name != label:
            if label:
                spans.append(TokenSpan(start, index, label))
            start = index
        before, label = now, name
    if label:
        spans.append(TokenSpan(start, len(tags), label))
    return spans


def illegal_positions(tags: Sequence[str], scheme: str) -> list[int]:
    """Indexes of tags that ``scheme`` does not allow where they stand; reading them takes ``token_spans``'s leniency.

    A tag that should have been followed by another (``B-X`` of BIOES before ``O``) counts itself.
    """
    name = check_scheme(scheme)
    allowed = PREFIXES[name]
    split = [split_tag(tag) for tag in tags]
    wrong: set[int] = set()
    for index, (prefix, label) in enumerate(split):
        if prefix == OUTSIDE:
            continue
        before = split[index - 1] if index else (OUTSIDE, "")
        after = split[index + 1] if index + 1 < len(split) else (OUTSIDE, "")
        if prefix not in allowed:
            wrong.add(index)
        elif name == "IOB1":
            if prefix == "B" and before[1] != label:
                wrong.add(index)
        elif name == "IOB2":
            if prefix == "I" and before[1] != label:
                wrong.add(index)
        elif name in ("BIOES", "BILOU"):
            last = allowed[2]
            if prefix in ("I", last) and (before[0] not in ("B", "I") or before[1] != label):
                wrong.add(index)
            if prefix in ("B", "I") and (after[0] not in ("I", last) or after[1] != label):
                wrong.add(index)
    return sorted(wrong)


def strict_spans(tags: Sequence[str], scheme: str) -> list[TokenSpan]:
    """Only the chunks that ``scheme`` allows as written.

    A chunk of IOB2 begins with ``B-``; of BIOES and BILOU it is complete. What is left over is no chunk.
    IOB1 and IO know no ill-formed sequence of their own prefixes and are read leniently.
    """
    name = check_scheme(scheme)
    if name in ("IOB1", "IO"):
        return [span for span in token_spans(tags) if _only(tags[span.start : span.end], PREFIXES[name])]
    if name == "IOB2":
        return [span for span in token_spans(tags) if _canonical(tags[span.start])[0] == _BEGIN]
    spans: list[TokenSpan] = []
    for span in token_spans(tags):
        prefixes = "".join(split_tag(tag)[0] for tag in tags[span.start : span.end])
        if prefixes == _prefixes(name, len(prefixes)):
            spans.append(span)
    return spans


def _only(tags: Iterable[str], prefixes: str) -> bool:
    return all(split_tag(tag)[0] in prefixes for tag in tags)


def _prefixes(scheme: str, length: int) -> str:
    """The prefixes of a chunk of BIOES or BILOU."""
    last, single = PREFIXES[scheme][2], PREFIXES[scheme][3]
    return single if length == 1 else "B" + "I" * (length - 2) + last


def tags_of(spans: Sequence[TokenSpan], length: int, scheme: str = "IOB2") -> list[str]:
    """The tags of ``length`` tokens.

    Args:
        spans: Sorted, none overlapping another.
        length: Number of tokens.
        scheme: One of ``SCHEMES``. IO can't tell two neighbouring chunks of one label apart.

    Raises:
        InvalidInput: The spans overlap, are empty or leave the tokens.
    """
    name = check_scheme(scheme)
    tags = [OUTSIDE] * length
    previous = TokenSpan(0, 0, "")
    for span in spans:
        if not previous.end <= span.start < span.end <= length:
            raise InvalidInput(
                f"chunk {tuple(span)} overlaps another, is empty or lies outside {length} tokens",
                remedy="give sorted chunks that don't overlap",
            )
        size = span.end - span.start
        if name in ("BIOES", "BILOU"):
            prefixes = _prefixes(name, size)
        else:
            touching = previous.end == span.start and previous.label == span.label and size > 0
            begin = "B" if name == "IOB2" or (name == "IOB1" and touching) else "I"
            prefixes = begin + "I" * (size - 1)
        tags[span.start : span.end] = [f"{prefix}-{span.label}" for prefix in prefixes]
        previous = span
    return tags


def detect_scheme(sentences: Iterable[Sequence[str]]) -> str:
    """The scheme that explains the tags with the fewest illegal ones; the more common one where several do."""
    rows = [list(tags) for tags in sentences]
    used = {split_tag(tag)[0] for tags in rows for tag in tags}
    order = ("IOB2", "IOB1", "BIOES", "BILOU", "IO")
    fitting = [name for name in order if used - {OUTSIDE} <= set(PREFIXES[name])]
    wrong = {name: sum(len(illegal_positions(tags, name)) for tags in rows) for name in fitting or order}
    return min(wrong, key=lambda name: wrong[name])
