"""The network that a training run begins with: a base model's, or a version's whose classes may have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from workbench.errors import ModelUnavailable
from workbench.modeling.artifact import answers_questions, load_network, read_info
from workbench.modeling.base_models import resolve_base_model
from workbench.tasks import Task


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a training run begins with.

    Attributes:
        folder: Holds weights and tokenizer.
        base_model: Name of the base model, of the version's where one is continued.
        license: Of the base model's weights, where known.
        learning_rate: Default peak.
        old_classes: Classes of the version that is continued; None for a base model.
    """

    folder: Path
    base_model: str
    license: str | None
    learning_rate: float
    old_classes: tuple[str, ...] | None


def beginning(base_model: str, model_dir: str | None, task: Task) -> Beginning:
    """Find what to begin with: the version in ``model_dir``, or else the base model.

    Raises:
        ModelUnavailable: It can't be had, or the version is of another task type.
    """
    if not model_dir:
        base = resolve_base_model(base_model)
        return Beginning(base.folder, base.name, base.license, base.learning_rate, None)
    info = read_info(Path(model_dir))
    if info.task != task.name:
        raise ModelUnavailable(
            f"the version to continue from is for {info.task}, not for {task.name}",
            remedy="continue from a version of this project",
        )
    try:
        rate = resolve_base_model(info.base_model).learning_rate
    except ModelUnavailable:  # the base model is not needed any more
        rate = 5e-5
    return Beginning(Path(model_dir), info.base_model, info.base_license, rate, info.classes)


def first_network(
    start: Beginning, task: Task, classes: Sequence[str], origins: Mapping[str, Sequence[str]] | None = None
) -> Any:
    """The network with a head for ``classes``. A version's head is kept, class by class, by name.

    Random numbers for what is new come from torch's generator: seed it first.

    Args:
        start: What to begin with.
        task: Decides the head.
        classes: Of the new head.
        origins: For labels that were called otherwise in the version: the labels that became them. Several (merged
            ones) give the mean of their rows; one that became several gives each of them its row.
    """
    old = start.old_classes
    if old is None:
        return load_network(start.folder, task, classes, strict=False)
    if answers_questions(task) or (tuple(classes) == old and not origins):
        return load_network(start.folder, task, classes, strict=True)
    before = load_network(start.folder, task, old, strict=True)
    network = load_network(start.folder, task, classes, strict=False)
    _carry_over(before, network, _sources(task, old, classes, origins or {}), (len(old), len(classes)))
    return network


def _sources(
    task: Task, old: Sequence[str], new: Sequence[str], origins: Mapping[str, Sequence[str]]
) -> list[list[int]]:
    """For each new class the old classes that it continues; none where it is new."""
    index = {name: position for position, name in enumerate(old)}
    names: dict[str, set[str]] = {}
    for label, olds in origins.items():
        for former in olds:
            for name, was in zip(task.model_labels((label,)), task.model_labels((former,)), strict=True):
                names.setdefault(name, set()).add(was)
    return [sorted(index[one] for one in names.get(name, {name}) if one in index) for name in new]


def _carry_over(before: Any, network: Any, sources: Sequence[Sequence[int]], sizes: tuple[int, int]) -> None:
    """Give each class of the head the mean of its old rows; classes that are new get small random ones."""
    scale = float(getattr(network.config, "initializer_range", 0.02))
    prefix = f"{network.base_model_prefix}."
    weights = dict(before.named_parameters())
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            source = weights[name]
            if name.startswith(prefix) or source.shape[0] != sizes[0] or parameter.shape[0] != sizes[1]:
                continue
            for row, rows in enumerate(sources):
                if rows:
                    parameter[row] = source[list(rows)].mean(dim=0)
                elif parameter.ndim > 1:
                    parameter[row].normal_(0.0, scale)
                else:
                    parameter[row] = 0.0
