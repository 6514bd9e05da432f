"""Whether the code on the disk is still the code that this process runs."""

from __future__ import annotations

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
