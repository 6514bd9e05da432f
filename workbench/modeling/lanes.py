"""Batches side by side on the cores of a CPU.

Cores that share one small batch wait for each other after every operation of a pass, some hundred times. Cores with a
batch of their own wait for nobody, and what one does between operations, another one need not stand idle for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

import torch

from workbench.modeling.device import Device

MOST = 8
"""Lanes of one process: of a batch's time a tenth is Python's at most, and only one lane at a time is in Python."""

BUDGET = 512
"""Padded sub-words of a batch in one lane: what it computes stays in its core's own cache."""

FEWEST = 3
"""Batches for each lane."""

B = TypeVar("B")


class LastStates(threading.local):
    """Hidden states of the batch that ran last in a lane: each sees its own."""

    def __init__(self) -> None:
        self.of_batch = torch.empty(0)


def lanes_for(device: Device, subwords: int) -> int:
    """How many batches of a pass are computed side by side; 1 where cores do better to share each batch.

    Args:
        device: A card does one batch after another, which is as large as it takes to keep it busy.
        subwords: Of the pass. It takes some batches for each lane, or the last ones leave the others idle.
    """
    if device.kind != "cpu":
        return 1
    lanes = min(MOST, torch.get_num_threads())
    return lanes if subwords >= FEWEST * lanes * BUDGET else 1


class Bystander:
    """Looks at whether a network remembers one batch while it computes another, as some do who keep tables by length.

    Such a network can't compute two at once.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        self._network = network
        self._held = _held(network)
        self.saw_a_change = False

    def look(self) -> None:
        """After a batch."""
        now = _held(self._network)
        self.saw_a_change |= len(now) != len(self._held) or any(
            one.keys() != other.keys() or not all(_same(one[name], other[name]) for name in one)
            for one, other in zip(now, self._held, strict=True)
        )
        self._held = now


def _held(network: torch.nn.Module) -> list[dict[str, Any]]:
    """What its modules hold, weights aside, by name."""
    return [{**vars(module), **dict(module.named_buffers(recurse=False))} for module in network.modules()]


def _same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, (int, float, str)) and type(one) is type(other) and one == other)


def side_by_side(
    work: Callable[[B], None], batches: Sequence[B], done: Callable[[B], None], lanes: int
) -> None:
    """Do some work for each batch.

    Args:
        work: Called in a thread of its lane, in which torch has its share of this thread's threads; here, where there
            is but one lane.
        batches: The longest first, so that the lanes end together.
        done: Called here after each batch, in the order in which they end; may raise, which ends all of it.
        lanes: That work at once.
    """
    if lanes == 1:
        for batch in batches:
            work(batch)
            done(batch)
        return
    threads = torch.get_num_threads()
    executor = ThreadPoolExecutor(lanes, "lane", torch.set_num_threads, (threads // lanes,))
    try:
        running = {executor.submit(work, batch): batch for batch in batches}
        for ended in as_completed(running):
            ended.result()
            done(running[ended])
    finally:
        executor.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # what a lane says counts for threads that begin later, too
