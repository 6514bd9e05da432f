"""Model code in processes of its own: services import neither torch nor transformers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import workbench
from workbench.errors import ModelUnavailable

LONGEST_SECONDS = 1_800
MODELING = Path(workbench.__file__).parent / "modeling"

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONIOENCODING": "utf-8",
}
"""Nothing is fetched: all that these processes read is on the disk."""


def run_python(
    arguments: Sequence[str],
    *,
    given: str = "",
    cwd: Path | None = None,
    more: Mapping[str, str] | None = None,
) -> str:
    """Run this Python with the arguments and give what it printed on stdout.

    Args:
        arguments: After ``python``.
        given: For its stdin.
        cwd: Where it runs.
        more: Environment variables to add.

    Raises:
        ModelUnavailable: It failed; the last line that it wrote to stderr says why.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-modules-") as modules:
        # Code that a model's folder brings is copied here, not into a cache that another export shares.
        environment = {**os.environ, **OFFLINE, "HF_MODULES_CACHE": modules, **(more or {})}
        try:
            done = subprocess.run(
                [sys.executable, *arguments],
                input=given.encode(),
                capture_output=True,
                cwd=cwd,
                env=environment,
                timeout=LONGEST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ModelUnavailable(
                f"the model did not finish within {LONGEST_SECONDS // 60} minutes",
                remedy="try fewer or shorter texts",
            ) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ModelUnavailable(said[-1] if said else f"the process ended with code {done.returncode}")
    return done.stdout.decode()


def run_module(name: str, arguments: Sequence[str], *, given: str = "") -> str:
    """``python -m workbench.modeling.<name>``; see ``run_python``."""
    return run_python(["-m", f"workbench.modeling.{name}", *arguments], given=given)


def run_outside(name: str, arguments: Sequence[str]) -> str:
    """Run a file of ``workbench.modeling`` as anybody could run it elsewhere: alone, isolated, in another folder."""
    with tempfile.TemporaryDirectory(prefix="workbench-outside-") as folder:
        script = Path(folder) / f"{name}.py"
        script.write_bytes((MODELING / f"{name}.py").read_bytes())
        return run_python(["-I", str(script), *arguments], cwd=Path(folder))


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects that such a process reads or has written, one a line."""
    # Not splitlines: U+2028 and its like may stand in a text as they are, and end no line there.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
