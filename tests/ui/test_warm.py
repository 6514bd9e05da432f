"""Every page's code is imported when the server starts, so that the first visitor does not wait for it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from altair.utils.schemapi import enable_debug_mode

from workbench.ui.warm import PAGES, warm_up

ROOT = Path(__file__).parents[2]


def imported(path: Path) -> set[str]:
    """Modules that a script takes names from, wherever it does."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_every_page_is_imported_at_the_start() -> None:
    drawn = set.union(*(imported(path) for path in [ROOT / "Home.py", *(ROOT / "pages").glob("*.py")]))
    late = {name for name in drawn if name.startswith("workbench.ui.")}
    others = {f"workbench.ui.{name}" for name in ("options", "page", "warm")}
    assert late - {f"workbench.ui.{name}" for name in PAGES} <= others
    warm_up()
    enable_debug_mode()  # other tests draw charts with the check
    assert late <= set(sys.modules)


def test_it_says_nothing() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from workbench.ui.warm import warm_up; warm_up()"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout + told.stderr == ""
