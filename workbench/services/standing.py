"""A model that stays loaded, in a process of its own, for a service that answers many small requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from workbench.domain import ExampleText, Prediction
from workbench.errors import InvalidInput, ModelUnavailable
from workbench.services.isolated import OFFLINE
from workbench.services.modelfolder import check_folder
from workbench.services.snapshots import around
from workbench.tasks import load_prediction

LOOP = "workbench.modeling.predict_loop"
STOP_SECONDS = 10


class StandingModel:
    """A model folder, loaded once. May be asked by several threads, which take turns.

    A process that has died is started again by the next question.

    Args:
        folder: What ``workbench export-model`` made.
        device: auto, cpu, cuda, cuda:N or mps.

    Attributes:
        task: Name of its task type.
        labels: Its label set.
        context: Sub-words of its document on either side that it reads with a sentence, where it is given them.

    Raises:
        ModelUnavailable: The folder is no model, is not whole, was changed since its export, or can't be loaded.
    """

    task: str
    labels: tuple[str, ...]
    context: int

    def __init__(self, folder: Path, device: str = "auto") -> None:
        self.folder = folder
        self._device = device
        self._turn = threading.Lock()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        try:
            self._process = self._start()
        except BaseException:
            self._log.close()
            raise

    def _start(self) -> subprocess.Popen[str]:
        check_folder(self.folder)
        process = subprocess.Popen(
            [sys.executable, "-m", LOOP, str(self.folder.absolute()), self._device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **OFFLINE},
            encoding="utf-8",
        )
        assert process.stdout is not None
        head = process.stdout.readline()
        if not head:
            _end(process)
            raise ModelUnavailable(self._last_words())
        told = json.loads(head)
        self.task, self.labels, self.context = told["task"], tuple(told["labels"]), told["context"]
        return process

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process.poll() is None

    def predict(self, examples: Sequence[ExampleText]) -> list[Prediction]:
        """One prediction per example, in order.

        Raises:
            ModelUnavailable: The process has died, or can't be started again.
            InvalidInput: The model can't read an example.
        """
        rows = [
            {"text": one.text, "tokens": one.tokens, "question": one.question, **around(one)}
            for one in examples
        ]
        with self._turn:
            if not self.alive:
                _end(self._process)
                self._process = self._start()
            line = self._exchange(json.dumps(rows))
        found = json.loads(line)
        if isinstance(found, dict):
            raise InvalidInput(found["error"])
        return [load_prediction(self.task, row) for row in found]

    def _exchange(self, line: str) -> str:
        given, said = self._process.stdin, self._process.stdout
        assert given is not None and said is not None
        try:
            given.write(line + "\n")
            given.flush()
        except BrokenPipeError:
            raise ModelUnavailable(self._last_words()) from None
        if answer := said.readline():
            return answer
        self._process.wait()
        raise ModelUnavailable(self._last_words())

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "the model's process ended"

    def close(self) -> None:
        """End the process."""
        _end(self._process)
        self._log.close()


def _end(process: subprocess.Popen[str]) -> None:
    """Close the pipes, which ends the process; kill it where that does not."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
