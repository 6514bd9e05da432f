"""The front end's larger parts are named by files that this version of Streamlit has."""

from __future__ import annotations

from pathlib import Path

import streamlit

from workbench.ui.ahead import PARTS, module_files, script

FOLDER = Path(streamlit.__file__).parent / "static" / "static" / "js"


def test_every_part_is_there() -> None:
    names = module_files(FOLDER)
    assert [name.partition(".")[0] for name in names] == list(PARTS)
    assert all(name in script() for name in names)


def test_another_version_of_streamlit_loads_what_it_has(tmp_path: Path) -> None:
    assert module_files(tmp_path) == []
    (tmp_path / f"{PARTS[1]}.abc.js").touch()
    assert module_files(tmp_path) == [f"{PARTS[1]}.abc.js"]
