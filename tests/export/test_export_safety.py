"""Nothing is exported that does not hold, nothing is replaced unasked, and a folder that was changed is refused."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.export.conftest import Exports, Trained, run_here
from workbench.cli import load
from workbench.cli.base import app
from workbench.errors import AlreadyExists, InvalidInput, ModelUnavailable, RunFailed, WorkbenchError
from workbench.services import exporting
from workbench.services.exporting import ExportedModel
from workbench.services.modelfolder import beside, check_folder, files_of, recover, tar_folder, zip_folder


@pytest.fixture
def exported(exports: Exports) -> ExportedModel:
    """An export of the version."""
    return exports["ner"].exported


def test_what_is_there_is_not_replaced_unasked(
    trained_ner: Trained, exported: ExportedModel, tmp_path: Path
) -> None:
    exporting_ = trained_ner.workbench.exporting
    with pytest.raises(AlreadyExists, match="--force"):
        exporting_.export_model(trained_ner.project, 1, exported.folder)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("ten years")
    with pytest.raises(InvalidInput, match="no model"):
        exporting_.export_model(trained_ner.project, 1, precious, force=True)
    assert (precious / "thesis.txt").read_text() == "ten years"


def test_nothing_is_left_of_an_export_that_does_not_hold(
    trained_ner: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(name: str, arguments: list[str]) -> str:
        said = run_here(name, arguments)
        path = Path(arguments[0]) / "expected.jsonl"
        lines = [json.loads(line) for line in path.read_text().split("\n") if line]
        for line in lines:
            line["entities"] = [[0, 4, "elsewhere"]]
        path.write_text("\n".join(map(json.dumps, lines)))
        return said

    monkeypatch.setattr(exporting, "run_module", spoiled)
    with pytest.raises(RunFailed, match="something else"):
        trained_ner.workbench.exporting.export_model(trained_ner.project, 1, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_is_tidied_away(tmp_path: Path) -> None:
    out = tmp_path / "a [1]"
    killed = """
import os, sys
from pathlib import Path
from workbench.services.modelfolder import ASIDE, beside
out = Path(sys.argv[1])
with beside(out) as part:
    part.mkdir()
    out.rename(part.with_name(ASIDE))
    os.kill(os.getpid(), 9)
"""
    out.mkdir()
    (out / "workbench.json").write_text("{}")
    done = subprocess.run([sys.executable, "-c", killed, str(out)], check=False)
    assert done.returncode == -signal.SIGKILL and not out.exists()
    with beside(out) as alive:
        alive.mkdir()
        recover(out)
        assert alive.is_dir(), "an export that lives keeps its folder"
        assert (out / "workbench.json").is_file(), "the model that was to be replaced is back"
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == [out]


def test_a_version_that_was_changed_is_not_exported(trained_ner: Trained, tmp_path: Path) -> None:
    config = trained_ner.workbench.models.artifact_path(trained_ner.version) / "config.json"
    before = config.read_bytes()
    config.write_bytes(before + b"\n")
    try:
        with pytest.raises(ModelUnavailable, match="not those that were trained"):
            trained_ner.workbench.exporting.export_model(trained_ner.project, 1, tmp_path / "out")
        models = {check.name: check for check in trained_ner.workbench.maintenance.doctor()}["models"]
        assert not models.ok and "was changed" in models.detail
    finally:
        config.write_bytes(before)


@pytest.mark.parametrize("harm", ["missing", "changed", "labels", "unknown"])
def test_a_folder_that_was_tampered_with_is_refused(
    exported: ExportedModel, tmp_path: Path, harm: str
) -> None:
    folder = shutil.copytree(exported.folder, tmp_path / "model")
    check_folder(folder)
    if harm == "missing":
        (folder / "model.safetensors").unlink()
    elif harm == "changed":
        data = bytearray((folder / "model.safetensors").read_bytes())
        data[-1] ^= 1
        (folder / "model.safetensors").write_bytes(data)
    elif harm == "labels":
        config = folder / "config.json"
        config.write_text(config.read_text().replace("PER", "DOG") + " ")
    else:
        shutil.rmtree(folder)
        folder.mkdir()
    load()
    done = CliRunner().invoke(app, ["predict", str(folder), "--text", "anna"])
    assert isinstance(done.exception, WorkbenchError)
    assert "\n" not in str(done.exception) and str(folder) in str(done.exception)


def test_labels_that_do_not_match_are_refused_without_hashes(
    trained_ner: Trained, exported: ExportedModel, tmp_path: Path
) -> None:
    folder = shutil.copytree(exported.folder, tmp_path / "model")
    (folder / "SHA256SUMS").unlink()
    config = folder / "config.json"
    config.write_text(config.read_text().replace("PER", "DOG"))
    with pytest.raises(ModelUnavailable, match="labels"):
        trained_ner.workbench.exporting.predict(folder, "anna")


def test_a_zip_holds_the_folder(exported: ExportedModel, tmp_path: Path) -> None:
    zip_folder(exported.folder, tmp_path / "m.zip")
    with zipfile.ZipFile(tmp_path / "m.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(f"model/{name}" for name, _ in exported.files)


def test_a_tar_holds_the_folder(exported: ExportedModel, tmp_path: Path) -> None:
    tar_folder(exported.folder, tmp_path / "m.tar.gz")
    with tarfile.open(tmp_path / "m.tar.gz") as archive:
        archive.extractall(tmp_path / "there", filter="data")
    check_folder(tmp_path / "there" / "model")
    there = tmp_path / "there" / "model"
    found = {path.relative_to(there).as_posix() for path in files_of(there)}
    assert found == {name for name, _ in exported.files}


def test_a_tagger_takes_no_question(trained_ner: Trained, exported: ExportedModel) -> None:
    with pytest.raises(InvalidInput, match="no question"):
        trained_ner.workbench.exporting.predict(exported.folder, "anna", "who?")
    with pytest.raises(InvalidInput, match="empty"):
        trained_ner.workbench.exporting.predict(exported.folder, "  ")
