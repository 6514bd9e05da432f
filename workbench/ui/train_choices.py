"""The choices of a training run beside its preset and what it begins with."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.domain import TrainParameters
from workbench.domain.context import MOST_CONTEXT
from workbench.services.training import SCHEDULES
from workbench.tasks import get_task
from workbench.ui.glossary import explain
from workbench.ui.page import Page

DEVICES = ("auto", "cpu", "cuda", "cuda:0", "cuda:1", "mps")
ON_CLUSTER = ("cluster", "cluster:0", "cluster:1")


def draw_choices(page: Page, base: TrainParameters, preset: str) -> dict[str, Any]:
    """Widgets for the rest; a preset has its own, so that choosing another one shows its values."""
    tagging = bool(get_task(page.project.task).model_labels(("X",)))
    return {
        **_draw_length(base, preset),
        **_draw_steps(base, tagging),
        **_draw_frozen(base, preset),
        **(_draw_tagging(base) if tagging else {}),
        **_draw_machine(base, on_cluster=bool(page.workbench.settings.ray_address)),
    }


def _draw_length(base: TrainParameters, preset: str) -> dict[str, Any]:
    """How long a run lasts."""
    values: dict[str, Any] = {}
    values["epochs"] = st.number_input(
        "Epochs",
        0.1,
        1000.0,
        base.epochs,
        1.0,
        format="%.1f",
        key=f"epochs_{preset}",
        help=explain(
            "epoch", also="More fit the data better, up to a point that the validation curve shows."
        ),
    )
    values["min_steps"] = st.number_input(
        "At least so many steps",
        0,
        100_000,
        base.min_steps,
        10,
        key=f"min_steps_{preset}",
        help="So that ten examples do train: with little data the epochs are repeated up to this.",
    )
    values["patience"] = st.number_input(
        "Patience",
        0,
        1000,
        base.patience,
        1,
        key=f"patience_{preset}",
        help=explain(
            "patience",
            also="Stop after so many evaluations on validation without a better one, and go back to the best. "
            "0 trains to the end and keeps the last.",
        ),
    )
    return values


def _draw_steps(base: TrainParameters, tagging: bool) -> dict[str, Any]:
    """What one step is."""
    values: dict[str, Any] = {}
    values["learning_rate"] = st.number_input(
        "Learning rate",
        0.0,
        1.0,
        base.learning_rate,
        1e-5,
        format="%.1e",
        placeholder="the base model's own",
        help=explain("learning-rate", also="Its peak."),
    )
    values["schedule"] = st.selectbox(
        "Schedule",
        list(SCHEDULES),
        list(SCHEDULES).index(base.schedule),
        format_func=str.capitalize,
        help="What the learning rate does after its peak.",
    )
    st.caption(SCHEDULES[values["schedule"]])
    values["warmup"] = st.number_input(
        "Warm-up",
        0.0,
        1.0,
        base.warmup,
        0.05,
        help=explain("warm-up", also="As a share of the steps; meanwhile the new head finds its feet."),
    )
    values["batch_size"] = st.number_input(
        "Batch size", 1, 4096, base.batch_size, 1, help="Examples per step. Smaller takes less memory."
    )
    values["max_length"] = st.number_input(
        "Maximum length",
        16,
        8192,
        base.max_length,
        16,
        placeholder="256" if tagging else "384",
        help=explain("sub-word", "doc-stride", also="Sub-words per window; nothing of a longer text is cut."),
    )
    return values


def _draw_frozen(base: TrainParameters, preset: str) -> dict[str, Any]:
    """What keeps its weights."""
    values: dict[str, Any] = {}
    values["freeze_embeddings"] = st.toggle(
        "Keep the embeddings as they are",
        base.freeze_embeddings,
        key=f"freeze_{preset}",
        help=explain(
            "embedding",
            also="Faster, and rarely worse on little data: half of MiniLM's parameters are its word embeddings.",
        ),
    )
    values["freeze_layers"] = st.number_input(
        "Frozen encoder layers",
        0,
        1000,
        base.freeze_layers,
        1,
        help="So many of the lowest layers keep their weights: faster still, and safer with very little data.",
    )
    values["rest_layers"] = st.toggle(
        "Let layers rest towards the end",
        base.rest_layers,
        key=f"rest_{preset}",
        help="Over the last fifth of the steps the layers stop learning one by one, the lowest first: "
        "less to compute, when little is left to learn.",
    )
    values["lora_rank"] = st.number_input(
        "LoRA rank",
        0,
        1024,
        base.lora_rank,
        4,
        help=explain(
            "lora", also="For large base models on a small card: 8 to 32. 0 trains the weights themselves."
        ),
    )
    values["adapt_epochs"] = st.number_input(
        "Passes over the texts first",
        0.0,
        1000.0,
        base.adapt_epochs,
        1.0,
        format="%.1f",
        help=explain(
            "adapting",
            also="Where your texts are unlike what the base model has read, and there are many more than labels.",
        ),
    )
    return values


def _draw_tagging(base: TrainParameters) -> dict[str, Any]:
    """What only labels of words have."""
    values: dict[str, Any] = {}
    values["label_all_subwords"] = st.toggle(
        "Label every sub-word",
        base.label_all_subwords,
        help="Pipelines label sub-words without knowing your words: a model that learned only the first "
        "ones cuts entities there.",
    )
    values["context"] = st.number_input(
        "Document context",
        0,
        MOST_CONTEXT,
        base.context,
        16,
        help=explain(
            "document-context",
            also="So many sub-words on each side; 0 reads sentences alone, 64 is usual (FLERT). Training and "
            "scoring take longer by as much as the windows grow. What is exported reads single texts without.",
        ),
    )
    values["class_weights"] = st.toggle(
        "Rare labels weigh more",
        base.class_weights,
        help="Each class weighs by the square root of how rare it is: more recall of rare labels, "
        "often at some precision.",
    )
    return values


def _draw_machine(base: TrainParameters, *, on_cluster: bool) -> dict[str, Any]:
    """Chance, and where it runs."""
    values: dict[str, Any] = {}
    values["seed"] = st.number_input(
        "Seed",
        0,
        2**32 - 1,
        base.seed,
        1,
        help="Of initialisation, order and held-out examples. The same seed on the CPU gives the same model.",
    )
    offered = (*DEVICES, *ON_CLUSTER) if on_cluster else DEVICES
    known = offered if base.device in offered else (base.device, *offered)
    values["device"] = st.selectbox(
        "Device",
        known,
        known.index(base.device),
        help="auto takes the cluster where one is set, else the first GPU, else the CPU. cluster:1 asks for a GPU."
        if on_cluster
        else "auto takes the first GPU, or the CPU where there is none.",
    )
    values["workers"] = st.number_input(
        "Workers",
        1,
        64,
        base.workers,
        1,
        help="Processes that share each batch, so that it is computed sooner: one for each GPU. "
        "On a cluster each gets what the device says.",
    )
    return values
