"""What goes to a cluster and comes back: an attempt's inputs, its checkpoint, its outputs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from workbench.jobs.attempt import INPUTS, RECORDS, AttemptFolder, remove, write_json
from workbench.jobs.depot import Depot, files_of, safe_relative, stamp

FOLDERS = ("model_dir", "resume_from", "base_model")
"""Keys of a manifest that name folders of the workbench's machine: their content travels along."""

CHECKPOINT = "checkpoint"
UNFINISHED = ".part"


def send_inputs(depot: Depot, attempt: AttemptFolder, resume_from: Path | None = None) -> None:
    """Put what the worker reads into the depot; ``inputs.json`` last, so that half of it is never taken for all.

    Args:
        depot: Where to.
        attempt: The attempt's folder here.
        resume_from: A checkpoint to go on from instead of the manifest's own.
    """
    manifest = attempt.read_manifest()
    if resume_from is not None:
        manifest["resume_from"] = str(resume_from)
    manifest.pop("encoded", None)  # a folder of this machine, kept for its own later runs
    sent: dict[str, Any] = {}
    for key in FOLDERS:
        folder = Path(str(manifest.get(key) or "\0"))
        if not folder.is_absolute():
            continue
        for name, path in files_of(folder):
            sent[f"{key}/{name}"] = depot.send(path, f"inputs/{key}/{name}")
        # Relative to the worker's folder: the same on every node, and in every attempt of a run.
        manifest[key] = f"{key}"
        if key == "base_model" and (manifest.get("parameters") or {}).get(key) == str(folder):
            manifest["parameters"] = {**manifest["parameters"], key: key}
    for name in sorted(INPUTS):
        if (attempt.path / name).is_file():
            sent[name] = depot.send(attempt.path / name, f"inputs/{name}")
    content = json.dumps(manifest, ensure_ascii=False).encode()
    depot.write("inputs/manifest.json", content)
    depot.write("inputs.json", json.dumps({"files": sent, "manifest": manifest}).encode())


def fetch_inputs(depot: Depot, attempt: AttemptFolder, without: Collection[str] = ()) -> None:
    """Bring them to the worker's folder, each checked; files and folders at the top may be left out.

    Raises:
        RunFailed: One is missing or damaged.
    """
    found = depot.read_json("inputs.json") or {}
    for name, said in found.get("files", {}).items():
        if name.split("/", 1)[0] in without:
            continue
        depot.fetch(f"inputs/{name}", attempt.path / safe_relative(name), said)
    write_json(attempt.manifest, found.get("manifest", {}))


class Mirror:
    """Keeps the depot's checkpoint what the attempt's is; each whole one is there entirely, or the one before."""

    def __init__(self, depot: Depot, attempt: AttemptFolder) -> None:
        self._depot = depot
        self._folder = attempt.checkpoint
        self._seen: dict[str, tuple[int, int]] = {}
        self._stamps: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {}

    def refresh(self) -> None:
        """Send a new checkpoint. One that is being replaced meanwhile waits for the next time."""
        try:
            files = [(name, path) for name, path in files_of(self._folder) if UNFINISHED not in name]
            seen = {name: (path.stat().st_mtime_ns, path.stat().st_size) for name, path in files}
            if not files or seen == self._seen:
                return
            listed = {}
            for name, path in files:
                said = self._stamp(name, path, seen[name])
                blob = f"blobs/{said['sha256']}"
                if not self._depot.exists(blob):
                    self._depot.send(path, blob)
                listed[name] = said
            if {name: (path.stat().st_mtime_ns, path.stat().st_size) for name, path in files} != seen:
                return
        except FileNotFoundError:
            return
        self._depot.write("checkpoint.json", json.dumps(listed).encode())
        self._seen = seen
        wanted = {f"blobs/{said['sha256']}" for said in listed.values()}
        for name in self._depot.names("blobs"):
            if name not in wanted:
                self._depot.remove(name)

    def _stamp(self, name: str, path: Path, seen: tuple[int, int]) -> dict[str, Any]:
        """A pass over a large pool leaves hundreds of chunks there: each is read for it once."""
        known = self._stamps.get(name)
        if known is None or known[0] != seen:
            known = self._stamps[name] = (seen, stamp(path))
        return known[1]


def fetch_checkpoint(depot: Depot, attempt: AttemptFolder) -> bool:
    """Bring the last whole checkpoint to the attempt's folder; False where there is none."""
    listed = depot.read_json("checkpoint.json")
    if not listed:
        return False
    incoming = attempt.path / ".checkpoint-incoming"
    shutil.rmtree(incoming, ignore_errors=True)
    for name, said in listed.items():
        depot.fetch(f"blobs/{said['sha256']}", incoming / safe_relative(name), said)
    remove(attempt.checkpoint)
    incoming.rename(attempt.checkpoint)
    return True


def send_outputs(depot: Depot, attempt: AttemptFolder, outcome: Mapping[str, Any]) -> None:
    """Put what the attempt made into the depot, and how it ended last of all."""
    kept_back = RECORDS | INPUTS | {CHECKPOINT, attempt.lock.name, *FOLDERS}
    sent = {
        name: depot.send(path, f"outputs/{name}")
        for name, path in files_of(attempt.path)
        if name.split("/", 1)[0] not in kept_back and not name.startswith(".")
    }
    depot.write("result.json", json.dumps({"outputs": sent, "result": dict(outcome)}).encode())


def fetch_outputs(depot: Depot, attempt: AttemptFolder, found: Mapping[str, Any]) -> None:
    """Bring them to the attempt's folder, each checked before any is in its place; the result last.

    Raises:
        RunFailed: A file is missing or damaged; the attempt's folder is as it was.
    """
    incoming = attempt.path / ".incoming"
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir()
    for name, said in dict(found.get("outputs") or {}).items():
        depot.fetch(f"outputs/{name}", incoming / safe_relative(name), said)
    for entry in sorted(incoming.iterdir()):
        remove(attempt.path / entry.name)
        entry.rename(attempt.path / entry.name)
    incoming.rmdir()
    write_json(attempt.result, found["result"])
