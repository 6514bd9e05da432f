"""A trained model's folder: what ``save_pretrained`` writes, and ``workbench.json`` beside it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

from workbench.errors import ModelUnavailable
from workbench.modeling.base_models import WEIGHTS
from workbench.modeling.quiet import quiet_transformers
from workbench.modeling.saving import system_errors
from workbench.modeling.tokenizer import SubwordTokenizer, load_tokenizer
from workbench.tasks import AnswerTask, Task, get_task

INFO = "workbench.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is needed to read a model's output as it was meant.

    Attributes:
        task: Name of the task type.
        labels: The label set that it was trained with.
        classes: Classes of its head, in order; empty for questions.
        max_length: Sub-words per window, special ones included.
        stride: Sub-words that neighbouring windows share.
        base_model: Name of the base model that it began as.
        base_license: Licence of those weights, where known.
        context: Sub-words of its document that it reads on either side of a sentence.
        label_all_subwords: Whether it was trained on every sub-word of a token.
        allow_no_answer: Whether its data had questions without an answer.
        no_answer_threshold: See ``AnswerTask.decode_answers``.
        max_answer_tokens: Longest answer, in sub-words.
        temperature: Divides the model's scores before they become confidences; fitted on validation data.
    """

    task: str
    labels: tuple[str, ...]
    classes: tuple[str, ...]
    max_length: int
    stride: int
    base_model: str
    base_license: str | None = None
    label_all_subwords: bool = False
    allow_no_answer: bool = False
    no_answer_threshold: float = 0.0
    max_answer_tokens: int = 30
    temperature: float = 1.0
    context: int = 0

    def tuned(self, threshold: float, temperature: float) -> ModelInfo:
        """The same with what was tuned on validation data."""
        return replace(self, no_answer_threshold=threshold, temperature=temperature)

    def with_window(self, max_length: int) -> ModelInfo:
        """The same with shorter windows."""
        return replace(self, max_length=max_length)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory, with its tokenizer and its description."""

    network: Any
    tokenizer: SubwordTokenizer
    info: ModelInfo
    task: Task


def answers_questions(task: Task) -> bool:
    """Whether the task's head marks starts and ends, rather than giving each token a class."""
    return isinstance(task, AnswerTask)


def load_network(folder: Path, task: Task, classes: Sequence[str], *, strict: bool) -> Any:
    """The model with the task's head, in fp32 on the CPU, its classes named in its configuration.

    Args:
        folder: A base model or a trained one.
        task: Decides the head.
        classes: Of the head; not read for questions.
        strict: Whether the head's weights must be there (a trained model) or may be new (a base model).

    Raises:
        ModelUnavailable: It can't be loaded, or as a trained model it is not whole.
    """
    from transformers import AutoModelForQuestionAnswering, AutoModelForTokenClassification

    kind = AutoModelForQuestionAnswering if answers_questions(task) else AutoModelForTokenClassification
    named: dict[str, Any] = {}
    if not answers_questions(task):
        named = {
            "num_labels": len(classes),
            "id2label": dict(enumerate(classes)),
            "label2id": {name: index for index, name in enumerate(classes)},
        }
    with quiet_transformers():
        try:
            network, report = kind.from_pretrained(
                str(folder),
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                ignore_mismatched_sizes=not strict,
                output_loading_info=True,
                **named,
            )
        except Exception as error:  # transformers raises whatever the files made it raise
            raise ModelUnavailable(
                f"the model in {folder} can't be loaded ({_first_line(error)})",
                remedy="choose another model, or get this one again",
            ) from error
    if strict and (report["missing_keys"] or report.get("mismatched_keys")):
        missing = sorted(map(str, report["missing_keys"] or report["mismatched_keys"]))
        raise ModelUnavailable(
            f"the model in {folder} is not whole: {missing[0]} is missing or of another size",
            remedy="get the folder again, or train a new version",
        )
    return network


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")[:200]


def read_info(folder: Path) -> ModelInfo:
    """The description of a trained model. Raises ModelUnavailable where the folder is none, or not whole."""
    path = folder / INFO
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        known = {field.name for field in fields(ModelInfo)}
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in data.items()
            if key in known
        }
        info = ModelInfo(**values)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelUnavailable(
            f"{folder} is no model of the workbench ({Path(error.filename).name} is missing)",
            remedy="give a folder that the workbench trained or exported",
        ) from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelUnavailable(
            f"{path} can't be read ({type(error).__name__})", remedy="get the folder again"
        ) from error
    if data.get("format") != FORMAT:
        raise ModelUnavailable(
            f"{path} is of format {data.get('format')!r}, and this workbench reads {FORMAT}",
            remedy="use the version of the workbench that wrote it",
        )
    names = config.get("id2label") or {}
    if info.classes and tuple(names[key] for key in sorted(names, key=int)) != info.classes:
        raise ModelUnavailable(
            f"the labels in {folder / 'config.json'} are not those in {INFO}", remedy="get the folder again"
        )
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise ModelUnavailable(f"{folder} holds no safetensors file", remedy="get the folder again")
    return info


def load_model(folder: Path) -> LoadedModel:
    """A trained model, on the CPU, ready to predict. Raises ModelUnavailable."""
    info = read_info(folder)
    task = get_task(info.task)
    tokenizer = load_tokenizer(folder, for_words=not answers_questions(task))
    network = load_network(folder, task, info.classes, strict=True)
    network.eval()
    return LoadedModel(network, tokenizer, info, task)


def save_model(
    folder: Path, network: Any, tokenizer: SubwordTokenizer, info: ModelInfo, extra: Mapping[str, Any]
) -> None:
    """Write a model's folder; it is there whole, or not at all.

    Args:
        folder: Replaced where it exists.
        network: On any device.
        tokenizer: Its own.
        info: Its description.
        extra: More to keep in ``workbench.json``.
    """
    import transformers

    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    try:
        with quiet_transformers(), system_errors():
            network.save_pretrained(part)
            tokenizer.hf.save_pretrained(part)
        write_json(part / INFO, {"format": FORMAT, **asdict(info), **extra, "versions": versions})
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    for path in part.iterdir():
        path.chmod(0o644)  # safetensors makes its files for their owner only
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def write_json(path: Path, data: Any) -> None:
    """Write a JSON file that is there whole, or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
