"""What a page of the documentation tells its reader to do, taken out of its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FORMS = {
    "start": r"Open the address that it prints\.",
    "open": r"Open \*\*(?P<what>[^*]+)\*\*\.",
    "choose": r"Choose \*\*(?P<what>[^*]+)\*\* as \*\*(?P<field>[^*]+)\*\*\.",
    "write": r"Write \*\*(?P<what>[^*]+)\*\* into \*\*(?P<field>[^*]+)\*\*\.",
    "upload": r"Put the file \*\*(?P<what>[^*]+)\*\* into \*\*(?P<field>[^*]+)\*\*\.",
    "unfold": r"Unfold \*\*(?P<what>[^*]+)\*\*\.",
    "switch_on": r"Switch on \*\*(?P<what>[^*]+)\*\*\.",
    "key": r"Press the key \*\*(?P<what>[^*]+)\*\*(?: (?P<field>\d+) times)?\.",
    "download": r"Press \*\*(?P<what>Download [^*]+)\*\*",
    "press": r"Press \*\*(?P<what>[^*]+)\*\*\.",
    "see": r"You see \*\*(?P<what>[^*]+?)\*\*\.?",
}
"""By what it does, the one wording of each kind of step; a bold text that ends with an ellipsis is a beginning."""


@dataclass(frozen=True, slots=True)
class Step:
    """A point or a snippet.

    Attributes:
        kind: A key of ``FORMS``, or the language of a snippet.
        what: The bold text (the name of a page, a button, a value, a key), or the code.
        field: The second bold text, or how often a key is pressed.
        line: Where it stands, counted from 1.
    """

    kind: str
    what: str
    field: str
    line: int


def steps(text: str) -> Iterator[Step]:
    """Every point and snippet of a Markdown page, in their order.

    Raises:
        ValueError: A point has none of the wordings.
    """
    fenced = False
    code: list[str] = []
    language = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if fenced:
                yield Step(language, "\n".join(code), "", number - len(code))
            fenced, language, code = not fenced, line[3:], []
        elif fenced:
            code.append(line)
        elif line.startswith("- "):
            yield _step(line[2:], number)


def _step(point: str, line: int) -> Step:
    for kind, form in FORMS.items():
        if found := re.fullmatch(form, point):
            parts = found.groupdict()
            return Step(kind, parts.get("what") or "", parts.get("field") or "", line)
    raise ValueError(f"line {line} is worded as no step is: {point}")
