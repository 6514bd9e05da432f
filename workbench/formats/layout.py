"""What the columns of a column file are: told by the user where they said so, guessed from a sample else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from workbench.errors import FormatError, InvalidInput
from workbench.formats.base import SAMPLE_ROWS, ReadOptions, Report
from workbench.formats.source import Source

SAMPLE = 5_000
"""Rows that a guess looks at."""
MAX_COLUMNS = 100
SEPARATORS = ("tab", "spaces")
DOCUMENT_START = "-DOCSTART"

PENN = frozenset(
    """CC CD DT EX FW IN JJ JJR JJS LS MD NN NNS NNP NNPS PDT POS PRP PRP$ RB RBR RBS RP SYM TO UH VB VBD VBG VBN VBP
    VBZ WDT WP WP$ WRB . , : `` '' ( ) -LRB- -RRB- $ # " HYPH NFP ADD AFX GW XX NN|SYM""".split()  # noqa: SIM905
)
UNIVERSAL = frozenset(
    "ADJ ADP ADV AUX CCONJ CONJ DET INTJ NOUN NUM PART PRON PROPN PRT PUNCT SCONJ SYM VERB X".split()  # noqa: SIM905
)
CHUNK_TAG = re.compile(r"O|[BIELSU]-\S.*")
WORDS_ABOVE = frozenset(("token", "tokens", "word", "words", "form"))
NAMES_ABOVE = WORDS_ABOVE | frozenset(
    """id index lemma pos pos_tag pos_tags upos xpos tag tags chunk chunk_tag ner ner_tag ner_tags label labels entity
    entities""".split()  # noqa: SIM905
)
"""What a first row says that names the columns in place of holding a word."""
COMMENT = re.compile(r"#\s*\S.*[=:]|#\s+id\b|#$")
"""A comment among rows that are separated by spaces."""
_BARE_LABEL = re.compile(r"[^\W\d_][\w&./-]*")
_RUNS = re.compile(r"[ \t]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of a file, counted from 0.

    Attributes:
        separator: ``tab`` (each tab separates) or ``spaces`` (runs of spaces and tabs do).
        token: Column of the words.
        tag: Column of the labels, or None where the file has none.
        width: Columns that most rows have.
        bare: NER tags are labels without a prefix (``PER PER O``).
        header: The first row names the columns.
    """

    separator: str
    token: int
    tag: int | None
    width: int
    bare: bool = False
    header: bool = False

    def as_mapping(self) -> dict[str, Any]:
        """JSON terms; ``layout_of`` takes them back."""
        return {name: getattr(self, name) for name in self.__slots__}


def layout_of(mapping: Mapping[str, Any]) -> Layout:
    """The layout that an import settled."""
    return Layout(**{name: mapping[name] for name in Layout.__slots__})


def cells(line: str, separator: str) -> list[str]:
    """The columns of a line; no column of a spaced line is empty."""
    if separator == "tab":
        return line.split("\t")
    parts = line.split(" ")
    if "" in parts or "\t" in line:
        parts = [part for part in _RUNS.split(line) if part]
    return parts


def rows_of(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """The rows of a file that may hold a token: no blank lines, no document starts."""
    for line in lines:
        if line.strip(" \t") and not line.startswith(DOCUMENT_START):
            yield cells(line, separator)


def find_layout(source: Source, options: ReadOptions, report: Report) -> Layout:
    """The file's layout; what was found is said in the report.

    Raises:
        FormatError: There is no row in the file, or one line that is far too wide.
        InvalidInput: The options name a column that the file does not have.
    """
    separator = _separator(source, options)
    lines = source.plain_lines(options.encoding)
    sample = list(islice(rows_of(lines, separator), SAMPLE))
    if not sample:
        raise FormatError("holds no words", file=source.name, remedy="check that it is the right file")
    widths = Counter(map(len, sample))
    body = [row for row in sample if not _is_comment(row, widths[len(row)] * 2 < len(sample))] or sample
    width = Counter(map(len, body)).most_common(1)[0][0]
    if width > MAX_COLUMNS:
        raise FormatError(f"has {width:,} columns", file=source.name, remedy="check that it is a column file")
    chosen = _Chosen(options, body, width)
    layout = Layout(separator, chosen.token(), None, width, header=chosen.header)
    tag = chosen.tag(layout.token)
    values = _column(body[layout.header :], tag) if tag is not None else []
    bare = options.task == "ner" and _are_bare(values)
    layout = Layout(separator, layout.token, tag, width, bare, chosen.header)
    _tell(layout, chosen, source, report, body)
    return layout


def _separator(source: Source, options: ReadOptions) -> str:
    if options.separator is not None:
        if options.separator not in SEPARATORS:
            raise InvalidInput(
                f"{options.separator!r} is no separator known here",
                remedy=f"choose from {', '.join(SEPARATORS)}",
            )
        return options.separator
    with_tab = without = 0
    for line in islice(source.plain_lines(options.encoding), SAMPLE):
        bare = line.strip(" \t")
        if bare and not bare.startswith((DOCUMENT_START, "# ")):
            with_tab += "\t" in bare
            without += "\t" not in bare
    if with_tab <= without:
        return "spaces"
    # Tabs that only line the columns up (``word<TAB><TAB>O``) separate in runs.
    lines = islice(source.plain_lines(options.encoding), SAMPLE)
    rows = [line for line in lines if line.strip(" \t") and not line.startswith(("#", DOCUMENT_START))]
    single = len({line.count("\t") for line in rows})
    runs = len({len(re.findall(r"\t+", line)) for line in rows})
    doubled = all(len(run) > 1 for line in rows for run in re.findall(r"\t+", line))
    return "spaces" if (runs < single or doubled) and not any(" " in line for line in rows) else "tab"


class _Chosen:
    """Columns by the user's word or, without it, by what stands in them."""

    def __init__(self, options: ReadOptions, rows: Sequence[Sequence[str]], width: int) -> None:
        self._options = options
        self._width = width
        unknown = set(options.columns) - {"token", "tag"}
        if unknown:
            raise InvalidInput(
                f"a column file has no {', '.join(sorted(map(repr, unknown)))}",
                remedy="map token=N and tag=N",
            )
        names = [str(value) for value in options.columns.values()]
        self.names: list[str] = []
        if any(not _is_number(name) and name in rows[0] for name in names) or _are_names(rows[0]):
            self.names = list(rows[0])
        self.header = bool(self.names)
        self._rows = rows[1:] if self.header else rows
        self.guessed: list[str] = []

    def token(self) -> int:
        """Column of the words: the first one that is neither a running number nor tags."""
        if "token" in self._options.columns:
            return self._number("token", self._options.columns["token"])
        for column in range(self._width - 1):
            values = _column(self._rows, column)
            if not (_share(values, str.isdigit) > 0.95 or (_chunk_like(values) and set(values) != {"O"})):
                return column
        return self._width - 1

    def tag(self, token: int) -> int | None:
        """Column of the labels, or None."""
        if "tag" in self._options.columns:
            value = self._options.columns["tag"]
            if value == "none":
                return None
            if value not in ("ner", "pos") or value in self.names:
                return self._number("tag", value)
        others = [column for column in range(self._width) if column != token]
        found = self._chunk_column(others) if self._options.task == "ner" else self._pos_column(others)
        if found is not None:
            self.guessed.append("tag")
        return found

    def _chunk_column(self, columns: list[int]) -> int | None:
        for matches in (_chunk_like, _are_bare):
            for column in reversed(columns):
                if matches(_column(self._rows, column)):
                    return column
        return None

    def _pos_column(self, columns: list[int]) -> int | None:
        for column in columns:
            if _share(_column(self._rows, column), lambda value: value in PENN or value in UNIVERSAL) > 0.8:
                return column
        for column in columns:  # a tag set of somebody's own: few different values, no entities
            values = _column(self._rows, column)
            if 1 < len(set(values)) <= max(5, min(300, len(values) // 3)) and not _chunk_like(values):
                return column
        return None

    def _number(self, key: str, value: str | int) -> int:
        if not _is_number(value):
            if value in self.names:
                return self.names.index(str(value))
            raise InvalidInput(
                f"there is no column named {value!r} for the {key}",
                remedy=f"give a number from 0 to {self._width - 1}",
            )
        number = int(value)
        place = number + self._width if number < 0 else number
        if not 0 <= place < self._width:
            raise InvalidInput(
                f"there is no column {number} for the {key}: the file has {self._width}, counted from 0",
                remedy=f"give a number from 0 to {self._width - 1}",
            )
        return place


def _is_comment(row: Sequence[str], odd: bool) -> bool:
    """Whether a row of the sample is a comment: not a word ``#`` in a row like the others."""
    return row[0].startswith("#") and (odd or bool(COMMENT.match(" ".join(row))))


def _are_names(row: Sequence[str]) -> bool:
    """Whether a first row names the columns, one of them as that of the words."""
    names = {cell.strip(" ").lower() for cell in row}
    return len(row) > 1 and names <= NAMES_ABOVE and bool(names & WORDS_ABOVE)


def _is_number(value: str | int) -> bool:
    return isinstance(value, int) or re.fullmatch(r"-?[0-9]{1,6}", value) is not None


def _column(rows: Iterable[Sequence[str]], column: int) -> list[str]:
    return [row[column].strip(" ") for row in rows if column < len(row)]


def _share(values: Sequence[str], matches: Any) -> float:
    return sum(map(bool, map(matches, values))) / len(values) if values else 0.0


def _chunk_like(values: Sequence[str]) -> bool:
    counted = Counter(values)
    fitting = sum(number for value, number in counted.items() if CHUNK_TAG.fullmatch(value))
    return bool(values) and fitting >= 0.95 * len(values)


def _are_bare(values: Sequence[str]) -> bool:
    """Whether they are ``O`` and labels without prefixes."""
    counted = Counter(values)
    if not 0.2 * len(values) <= counted["O"] < len(values) or len(counted) > 60:
        return False
    return not any(CHUNK_TAG.fullmatch(value) for value in counted if value != "O") and all(
        _BARE_LABEL.fullmatch(value) for value in counted
    )


def _tell(
    layout: Layout, chosen: _Chosen, source: Source, report: Report, rows: Sequence[Sequence[str]]
) -> None:
    separator = "tabs" if layout.separator == "tab" else "spaces"
    plural = "column" if layout.width == 1 else "columns"
    named = ", named by the first row" if layout.header else ""
    said = f"{layout.width} {plural} separated by {separator}{named}; the words in column {layout.token}"
    if layout.tag is None:
        report.detected.append(f"{said}, no labels")
        if layout.width > 1:
            report.warn(
                "no column looks like labels; say which one holds them (--column tag=N), counted from 0"
            )
    else:
        guess = " (guessed)" if "tag" in chosen.guessed else ""
        report.detected.append(f"{said}, the labels in column {layout.tag}{guess}, counted from 0")
    report.columns = chosen.names or [str(number) for number in range(layout.width)]
    report.rows = [list(row) for row in rows[layout.header : SAMPLE_ROWS + layout.header]]
    report.file = source.name
