"""One script from the source modules: Streamlit takes a component's JavaScript as one text.

The sources are ES modules, each importing what it uses. Here they are put one after the other, the imported before
the importing; names are unique over all of them, which a test holds them to.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "source"
ENTRY = "main.js"

_IMPORT = re.compile(r'^import\s+(?:\{[^}]*\}\s+from\s+)?"\./([\w.-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def script() -> str:
    """The component's JavaScript, with one default export."""
    order: list[str] = []

    def visit(name: str) -> None:
        for imported in _IMPORT.findall((SOURCE / name).read_text(encoding="utf-8")):
            if imported not in order:
                visit(imported)
        if name not in order:
            order.append(name)

    visit(ENTRY)
    return "\n".join(_plain(name) for name in order)


@cache
def wake_script() -> str:
    """The JavaScript of the small component that can run the whole page."""
    return (FOLDER / "wake.js").read_text(encoding="utf-8")


@cache
def markup() -> str:
    """The component's HTML; it holds no data."""
    return (FOLDER / "labeler.html").read_text(encoding="utf-8")


@cache
def styles() -> str:
    """The component's CSS."""
    return (FOLDER / "labeler.css").read_text(encoding="utf-8")


def _plain(name: str) -> str:
    source = (SOURCE / name).read_text(encoding="utf-8")
    return f"// {name}\n{_EXPORT.sub('', _IMPORT.sub('', source))}"
