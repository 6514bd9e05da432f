"""The best weights of a run so far, by the primary metric on validation: early stopping goes back to them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from workbench.modeling.artifact import write_json
from workbench.modeling.checkpoint import apart
from workbench.modeling.saving import system_errors

BEST = "best"
WEIGHTS, STATE = "weights.safetensors", "state.json"


class Best:
    """Keeps the best weights on disk, beside the checkpoints.

    Args:
        folder: The run's ``checkpoint/``.
        patience: Stop after so many evaluations without a better one; 0 never stops, and keeps nothing.
    """

    def __init__(self, folder: Path, patience: int) -> None:
        self._folder = folder / BEST
        self._patience = patience
        self._seen: list[tuple[int, float]] = []
        self.step: int | None = None
        """The step whose weights are kept; None before there are any."""

    @property
    def exhausted(self) -> bool:
        """Whether the run should stop."""
        since = sum(1 for step, _ in self._seen if self.step is not None and step > self.step)
        return 0 < self._patience <= since

    def see(self, score: float | None, step: int, network: Any) -> None:
        """An evaluation after ``step`` steps: keep the weights where it is the best so far."""
        if not self._patience or score is None:
            return
        better = self.step is None or score > dict(self._seen)[self.step]
        self._seen.append((step, score))
        if better:
            part = self._folder.with_name(f"{BEST}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            try:
                with system_errors():
                    save_file(apart(network.state_dict()), part / WEIGHTS)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
            shutil.rmtree(self._folder, ignore_errors=True)
            part.rename(self._folder)
            self.step = step
        write_json(self._folder / STATE, {"step": self.step, "seen": self._seen})

    def restore(self, network: Any) -> bool:
        """Put the best weights back; False where none were kept."""
        if self.step is None:
            return False
        network.load_state_dict(load_file(self._folder / WEIGHTS), strict=False)
        return True

    def resume(self, step: int) -> None:
        """Take up what was kept until the checkpoint of ``step``.

        What was seen after that step will be seen again, and weights that were kept after it, too.
        """
        if not self._patience or not (self._folder / STATE).is_file():
            return
        state = json.loads((self._folder / STATE).read_text(encoding="utf-8"))
        if state["step"] > step:
            return
        self.step = state["step"]
        self._seen = [(at, score) for at, score in state["seen"] if at <= step]
