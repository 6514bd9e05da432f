"""What the system refuses while a model is saved is told as what it is, and nothing half written stays."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import SafetensorError

from workbench.jobs.attempt import AttemptFolder, read_json, write_json
from workbench.jobs.runner import one_line
from workbench.modeling.saving import system_errors

SAVE = """
import resource, signal, sys
from pathlib import Path
import torch
from workbench.modeling.checkpoint import Position, save_checkpoint
from workbench.modeling.device import choose_device

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write then fails, as on a full disk
network = torch.nn.Linear(500, 500)
optimizer = torch.optim.SGD(network.parameters())
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    save_checkpoint(Path(sys.argv[1]), network, optimizer, Position(1, 0, 0, 1, ""), choose_device("cpu"))
except OSError as error:
    print(error.errno)
"""


def test_a_checkpoint_that_the_system_refuses_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SAVE, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.split() == [str(errno.EFBIG)], said.stderr
    assert [*tmp_path.iterdir()] == []


def test_what_is_not_the_systems_stays_what_it_is() -> None:
    with pytest.raises(SafetensorError, match="odd header"), system_errors():
        raise SafetensorError("odd header")
    with pytest.raises(OSError, match="No space left") as caught, system_errors():
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    assert caught.value.errno == errno.ENOSPC
    assert one_line(caught.value) == "the disk is full. Free some space and resume the run"


def test_a_run_that_fails_has_room_to_say_why(tmp_path: Path) -> None:
    attempt = AttemptFolder(tmp_path)
    write_json(attempt.manifest, {"kind": "train", "parameters": {"task": "moon"}})
    command = [sys.executable, "-m", "workbench.jobs.runner", str(tmp_path)]
    subprocess.run(command, capture_output=True, check=True)
    result = read_json(attempt.result)
    assert result is not None and result["state"] == "failed"
    assert not attempt.reserve.exists()
