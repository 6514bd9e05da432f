"""NER tags of a file: read into spans, the scheme found out, written back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from workbench.domain import ExampleText, Offset, Payload, Span, Spans
from workbench.errors import FormatError, InvalidInput
from workbench.formats.base import Report
from workbench.tasks.schemes import (
    OUTSIDE,
    TokenSpan,
    check_scheme,
    detect_scheme,
    illegal_positions,
    split_tag,
    tags_of,
    token_spans,
)
from workbench.tasks.tagging import to_token_spans

PATTERNS = 1_000
"""Different tag sequences that the scheme is found out from."""
MAX_LABEL = 200


class ChunkTags:
    """Tags of one file. ``bare`` ones are labels without a prefix, read as IO."""

    def __init__(self, file: str, scheme: str | None = None, *, bare: bool = False) -> None:
        self._file = file
        self._given = check_scheme(scheme) if scheme is not None else None
        self._bare = bare
        self._patterns: dict[tuple[str, ...], int] = {}

    def spans(self, tags: Sequence[str], offsets: Sequence[Offset], lines: Sequence[int]) -> Spans:
        """Spans in code points of a sentence's tags. Raises FormatError at the line of a tag that is none."""
        row = tuple(tags)
        if self._bare:
            row = tuple(tag if tag == OUTSIDE else f"I-{tag}" for tag in row)
        try:
            found = _read(row)
        except InvalidInput:
            raise self._bad_tag(row, lines) from None
        if len(self._patterns) < PATTERNS and found:
            self._patterns.setdefault(row, lines[0])
        return Spans(tuple([Span(offsets[a][0], offsets[b - 1][1], label) for a, b, label in found]))

    def _bad_tag(self, row: Sequence[str], lines: Sequence[int]) -> FormatError:
        for tag, line in zip(row, lines, strict=True):
            try:
                _read((tag,))
            except InvalidInput as error:
                return FormatError(
                    error.message,
                    file=self._file,
                    line=line,
                    remedy="mend the tag, or say which column holds the tags (--column tag=N)",
                )
        raise AssertionError("one of the tags was refused")

    def settle(self, report: Report) -> str:
        """The scheme, when every sentence has been read; the report hears of it and of tags that break it."""
        scheme = self._given or ("IO" if self._bare else detect_scheme(self._patterns))
        if not self._patterns:
            report.detected.append("no entity in the file")
            return scheme
        told = f"tags are {scheme}" + (" without prefixes" if self._bare else "")
        report.detected.append(told if self._given is None else f"{told}, as you said")
        for row, line in self._patterns.items():
            if illegal_positions(row, scheme):
                report.warn(
                    f"tags break the rules of {scheme} in this sentence; read as conlleval reads them", line
                )
        return scheme


@lru_cache(maxsize=65_536)
def _read(tags: tuple[str, ...]) -> list[TokenSpan]:
    found = token_spans(tags)
    for span in found:
        if len(span.label) > MAX_LABEL or span.label != span.label.strip():
            raise InvalidInput(f"{span.label[:40]!r} can't be a label")
    return found


def write_tags(payload: Payload, content: ExampleText, scheme: str, *, bare: bool = False) -> list[str]:
    """The tags of an example's tokens. Raises InvalidPayload where a span is not on token boundaries."""
    assert isinstance(payload, Spans)
    tags = tags_of(to_token_spans(payload.spans, content), len(content.tokens), scheme)
    return [split_tag(tag)[1] or OUTSIDE for tag in tags] if bare else tags


def rewritten(
    current: Sequence[str],
    before: Payload | None,
    after: Payload,
    content: ExampleText,
    scheme: str,
    bare: bool,
) -> list[str]:
    """A sentence's tags for new labels, those that stand for an unchanged part left as the file has them.

    Where what is left and what is new would read as other labels (an ill-formed tag beside a new one), every tag
    is written anew.
    """
    new = write_tags(after, content, scheme, bare=bare)
    old = write_tags(before, content, scheme, bare=bare) if before is not None else [""] * len(new)
    mixed = [tag if was == now else now for tag, was, now in zip(current, old, new, strict=True)]
    plain = tuple(f"I-{tag}" if bare and tag != OUTSIDE else tag for tag in mixed)
    wanted = to_token_spans(after.spans, content) if isinstance(after, Spans) else []
    try:
        return mixed if list(_read(plain)) == list(wanted) else new
    except InvalidInput:
        return new
