"""Jobs, the models that they make, and how good those are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from workbench.domain.data import Json
from workbench.domain.kinds import Fall, RunKind, RunState, Split

READS: Final = ("from_version", "model_version")
"""Parameters of runs that name a version of the project whose files the run reads."""


def versions_read(parameters: Json) -> frozenset[int]:
    """Numbers of the versions whose files a run of these parameters reads.

    >>> sorted(versions_read({"from_version": None, "model_version": 3, "epochs": 1}))
    [3]
    """
    return frozenset(int(parameters[name]) for name in READS if parameters.get(name) is not None)


@dataclass(frozen=True, slots=True)
class Run:
    """One job: what it computes, how far it is, how it ended."""

    id: int
    project_id: int
    kind: RunKind
    state: RunState
    parameters: Json
    progress: Json
    result: Json
    error: str | None
    attempt: int
    launcher: str
    device: str | None
    cancel_requested: bool
    heartbeat_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One thing that a run said. ``kind`` is log, progress or metric; ``sequence`` counts from 1 in an attempt."""

    id: int
    run_id: int
    attempt: int
    sequence: int
    kind: str
    at: datetime
    data: Json


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A trained model. Users know it by ``number``, counted from 1 in its project."""

    id: int
    project_id: int
    number: int
    base_model: str
    parent: int | None
    run_id: int
    snapshot_id: int
    labels: tuple[str, ...]
    artifact: str
    artifact_sha256: str
    parameters: Json
    metrics: Json
    note: str
    promoted_at: datetime | None
    archived_at: datetime | None
    created_at: datetime
    promoted_by: str | None = None
    promoted_reason: str = ""
    pruned_at: datetime | None = None

    @property
    def context(self) -> int:
        """Sub-words of its document on either side that it reads with a sentence."""
        return int(self.parameters.get("context") or 0)

    @property
    def promoted(self) -> bool:
        """Whether it is the project's chosen one."""
        return self.promoted_at is not None

    @property
    def pruned(self) -> bool:
        """Whether its files were removed to save space; what it has said and reached is still there."""
        return self.pruned_at is not None

    @property
    def usable(self) -> bool:
        """Whether it is offered where a model is needed: neither archived nor pruned."""
        return self.archived_at is None and not self.pruned

    @property
    def states(self) -> tuple[str, ...]:
        """What sets it apart from the others: ``promoted``, ``archived``, ``pruned``."""
        said = (
            ("promoted", self.promoted),
            ("archived", self.archived_at is not None),
            ("pruned", self.pruned),
        )
        return tuple(word for word, holds in said if holds)


@dataclass(frozen=True, slots=True)
class GoldSet:
    """The gold labels of a split, frozen when a version was first measured on them.

    Users know it by ``number``, counted from 1 in its project and split. Adding to the split, or revising a label in
    it, makes another one at the next measurement; what was measured on this one stays so.

    Attributes:
        snapshot_id: Exactly which revision of which example.
        data_hash: SHA-256 over texts, labels and split: the same data has the same hash in any database.
    """

    id: int
    project_id: int
    split: Split
    number: int
    snapshot_id: int
    data_hash: str
    examples: int
    created_at: datetime


PARTIAL_LEFT_OUT = "partial_left_out"
"""Key of an evaluation's metrics: how many partial labels of the split it leaves out, where there are any."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics of a model version on the gold labels that a split had at that moment (``data_hash``).

    ``gold_set`` is the number of the frozen set; None for evaluations from before there were any.
    """

    id: int
    model_version: int
    split: Split
    data_hash: str
    examples: int
    metrics: Json
    run_id: int | None
    created_at: datetime
    gold_set: int | None = None

    @property
    def partial(self) -> int:
        """Examples of the split that were left out, because their labels were partial."""
        return int(self.metrics.get(PARTIAL_LEFT_OUT, 0))


@dataclass(frozen=True, slots=True)
class TrainParameters:
    """How a model version is made. Defaults suit ``minilm`` on a CPU; each is explained in docs/training.md.

    Attributes:
        base_model: A registered name, a hub name or a local folder.
        from_version: Continue from this version's weights instead of the base model's.
        epochs: Passes over the training examples.
        learning_rate: Peak; None takes the base model's own default.
        batch_size: Examples per optimizer step.
        max_length: Sub-words per window, special ones included; None is 256 for tagging, 384 for QA.
        stride: Sub-words that neighbouring windows share; None is 64 for tagging, 128 for QA.
        min_steps: Lower bound of optimizer steps, so that ten examples do train.
        warmup: Share of steps over which the learning rate rises to its peak.
        schedule: How it goes on from there: linear and cosine fall to zero, constant stays.
        context: Tagging: sub-words of the document that are read before a sentence, and as many behind it, and are not
            labeled; 0 reads sentences alone, 64 is what FLERT takes.
        label_all_subwords: Tagging: every sub-word carries its word's label, not only the first. Pipelines label
            sub-words without knowing the words, so that a model which learned first ones only cuts entities there.
        freeze_embeddings: Keep the embeddings as they are: faster, and rarely worse on little data.
        freeze_layers: Keep so many of the lowest encoder layers as they are, too.
        rest_layers: Encoder layers stop learning one by one, the lowest first, over the last fifth of the steps,
            when the learning rate is low anyway.
        lora_rank: Train narrow matrices of this width beside the encoder's weights, instead of those; 0 trains them.
        adapt_epochs: Before labels are learned, the encoder reads the texts of the pool and the train split so many
            times and learns to fill in words that are hidden in them; 0 leaves that out.
        class_weights: Tagging: rare classes weigh more, by the square root of how rare they are.
        patience: Stop after so many evaluations without a better one and go back to the best; 0 goes on to the end.
        seed: Of initialisation, order and dropout.
        device: auto, cpu, cuda, cuda:N or mps.
        workers: Processes that share each batch: one a card, or a part of the processor's cores each.
    """

    base_model: str = "minilm"
    from_version: int | None = None
    epochs: float = 3.0
    learning_rate: float | None = None
    batch_size: int = 16
    max_length: int | None = None
    stride: int | None = None
    min_steps: int = 60
    warmup: float = 0.1
    schedule: str = Fall.LINEAR.value
    weight_decay: float = 0.01
    context: int = 0
    label_all_subwords: bool = True
    freeze_embeddings: bool = True
    freeze_layers: int = 0
    rest_layers: bool = False
    lora_rank: int = 0
    adapt_epochs: float = 0.0
    class_weights: bool = False
    patience: int = 0
    seed: int = 13
    device: str = "auto"
    workers: int = 1
