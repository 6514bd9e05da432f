"""Which code is on the disk: whether it is still what this process runs, and a name for it."""

from __future__ import annotations

import hashlib

from workbench.jobs.ensure import code_folder

FOLDERS = ("workbench", "migrations")


def code_stamp() -> int:
    """A number that changes when a file of the code is changed, added or removed.

    A process that imports a module late, after an upgrade, would mix old code with new; one that outlives the
    server that started it must find out by itself.
    """
    seen = set()
    for folder in FOLDERS:
        for path in (code_folder() / folder).rglob("*.py"):
            try:
                status = path.stat()
            except OSError:  # replaced at this moment
                continue
            seen.add((str(path), status.st_mtime_ns, status.st_size))
    return hash(frozenset(seen))


def code_hash() -> str:
    """Twelve hexadecimal digits of the SHA-256 of every Python file of the package: which code made a result."""
    digest = hashlib.sha256()
    folder = code_folder()
    for path in sorted((folder / FOLDERS[0]).rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
