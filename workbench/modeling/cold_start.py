"""A base model before there is any version of it: it reads the pool for its embeddings alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from workbench.modeling.artifact import LoadedModel, ModelInfo, load_network
from workbench.modeling.base_models import resolve_base_model
from workbench.modeling.tokenizer import load_tokenizer, longest_window
from workbench.modeling.train import ANSWER_WINDOW, TAGGING_WINDOW
from workbench.tasks import AnswerTask, get_task

HEAD_SEED = 13


def base_model(manifest: Mapping[str, Any]) -> LoadedModel:
    """The base model that a run names, with a head that means nothing.

    Args:
        manifest: ``task``, ``labels`` and ``parameters`` with ``base_model``.

    Raises:
        ModelUnavailable: It can't be had.
    """
    found = resolve_base_model(str(manifest["parameters"]["base_model"]))
    task = get_task(str(manifest["task"]))
    labels = tuple(manifest["labels"])
    asks = isinstance(task, AnswerTask)
    classes = () if asks else tuple(task.model_labels(labels))
    torch.manual_seed(HEAD_SEED)  # nothing of the head is kept, but a run that is repeated should do the same
    network = load_network(found.folder, task, classes, strict=False).eval()
    tokenizer = load_tokenizer(found.folder, for_words=not asks)
    length, stride = ANSWER_WINDOW if asks else TAGGING_WINDOW
    longest = longest_window(tokenizer.hf, network.config)
    info = ModelInfo(task.name, labels, classes, min(length, longest), stride, found.name)
    return LoadedModel(network, tokenizer, info, task)
