"""The documentation says what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_reference_pages_are_current() -> None:
    check = [sys.executable, str(ROOT / "docs" / "make_reference.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_extras_are_installed_from_the_checkout() -> None:
    paths = [*PAGES, *(ROOT / "workbench").rglob("*.py")]
    told = [re.findall(r"pip install (.*)\[\w+\]", path.read_text(encoding="utf-8")) for path in paths]
    assert {words for found in told for words in found} == {"-e '."}


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(tmp_path / "site"),
    ]
    done = subprocess.run(build, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "site" / "tutorial.html").is_file()


def test_readme_names_commands_that_exist() -> None:
    reference = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^## `([^`]+)`", reference, flags=re.MULTILINE))
    used = re.findall(
        r"^workbench ([a-z-]+(?: [a-z-]+)?)", (ROOT / "README.md").read_text(), flags=re.MULTILINE
    )
    assert used
    assert [words for words in used if words not in known and words.split()[0] not in known] == []
