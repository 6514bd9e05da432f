"""Cells that a spreadsheet would compute: kept as text by an apostrophe before them, which reading takes off again.

A program that opens a table takes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return for a
formula, and one that came in with somebody's text could fetch an address or start a program
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import re

_COMPUTED = re.compile(r"'*[=+\-@\t\r]")
"""With apostrophes before it that are the text's own: one more goes on and comes off again."""


def as_text(cell: object) -> object:
    """The cell, with an apostrophe before it where it would be computed; numbers and None as they are."""
    return f"'{cell}" if isinstance(cell, str) and _COMPUTED.match(cell) else cell


def as_it_was(cell: str) -> str:
    """The cell without the apostrophe that ``as_text`` has put before it."""
    return cell[1:] if cell.startswith("'") and _COMPUTED.match(cell, 1) else cell
