"""Run a model that the Annotation Workbench exported with ONNX: no torch and no transformers are needed.

The export's folder brings this file. It needs ``onnxruntime``, ``tokenizers`` and ``numpy``, opens no file but the
folder's, and no connection::

    import sys

    sys.path.insert(0, DIR)
    from onnx_pipeline import load

    find = load(DIR, weights="int8")  # or "fp32"
    find("Ada Lovelace lived in London.")
    # [{'entity_group': 'PER', 'score': 0.99, 'word': 'Ada Lovelace', 'start': 0, 'end': 12}, …]

Texts longer than the model are read in overlapping windows; each sub-word counts in the window where it has the most
context. The activations of the int8 model are quantised batch by batch, so its scores depend, a little, on what is
batched together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

WEIGHTS = {"fp32": "model.onnx", "int8": "model_int8.onnx"}
FOLDER = "onnx"
BUDGET = 512
"""Sub-words in one batch, padding included: what suits a CPU."""
UNWANTED = ["SkipLayerNormFusion"]
"""Optimisations to leave out: on a CPU the fused node takes five times as long as its two parts, a tenth of all."""


def load(folder: str | Path, weights: str = "int8", threads: int | None = None) -> Tagger | Reader:
    """The model in a folder, ready to be called.

    Args:
        folder: The export.
        weights: ``int8`` (smaller, faster) or ``fp32`` (the labels of the original).
        threads: Of the CPU; None leaves it to ONNX Runtime.

    Raises:
        ValueError: There are no such weights.
        OSError: The folder is not whole.
    """
    if weights not in WEIGHTS:
        raise ValueError(f"there are no weights {weights!r}; choose one of {', '.join(WEIGHTS)}")
    model = _Model(Path(folder), WEIGHTS[weights], threads)
    return Reader(model) if model.info["task"] == "qa" else Tagger(model)


class _Model:
    """Tokenizer, session and settings."""

    def __init__(self, folder: Path, file: str, threads: int | None) -> None:
        self.info = json.loads((folder / "workbench.json").read_text(encoding="utf-8"))
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(folder / FOLDER / file),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=UNWANTED,
        )
        self._inputs = [given.name for given in self._session.get_inputs()]
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        self.cls_id = self._id(settings.get("cls_token"))
        self._pad_id = self._id(settings.get("pad_token")) or 0
        known = (self._id(settings.get(f"{name}_token")) for name in ("unk", "mask", "eos"))
        self.unknown_id = next((one for one in known if one is not None), self._pad_id)

    def _id(self, token: Any) -> int | None:
        found: int | None = self.tokenizer.token_to_id(str(token)) if token is not None else None
        return found

    def run(
        self, rows: Sequence[Sequence[int]], types: Sequence[Sequence[int]] | None = None
    ) -> Iterator[tuple[int, list[Any]]]:
        """Index and outputs (without padding) of each row of ids, batched by length."""
        order = sorted(range(len(rows)), key=lambda index: -len(rows[index]))
        while order:
            width = len(rows[order[0]])
            size = max(1, BUDGET // max(1, width))
            batch, order = order[:size], order[size:]
            given = {
                "input_ids": _padded([rows[index] for index in batch], width, self._pad_id),
                "attention_mask": _padded([[1] * len(rows[index]) for index in batch], width, 0),
            }
            if types is not None:
                given["token_type_ids"] = _padded([types[index] for index in batch], width, 0)
            outputs = self._session.run(None, {name: given[name] for name in self._inputs})
            for place, index in enumerate(batch):
                yield index, [output[place, : len(rows[index])] for output in outputs]


class Tagger:
    """Finds entities, or tags words."""

    def __init__(self, model: _Model) -> None:
        self._model = model
        self._code, self._cut = _module("tag_windows"), _module("words").tokenize
        self._settings = {**self._code.DEFAULTS, **model.config.get("workbench_words", {})}
        names = model.config["id2label"]
        self.labels = [names[str(index)] for index in range(len(names))]
        alone = model.tokenizer.encode("x")
        first, last = (alone.special_tokens_mask.index(0), alone.special_tokens_mask[::-1].index(0))
        self._around = alone.ids[:first], alone.ids[len(alone.ids) - last :]

    def __call__(self, texts: str | Sequence[str]) -> Any:
        """What is seen in a text, or in each of several, which are cut into words as the workbench does.

        Returns:
            ``[{"entity_group", "score", "word", "start", "end"}]`` per text, positions in code points. Parts of speech
            are given word by word.
        """
        if isinstance(texts, str):
            return self([texts])[0]
        places = [self._cut(text) for text in texts]
        words = [[text[start:end] for start, end in cut] for text, cut in zip(texts, places, strict=True)]
        return [
            self._code.grouped(text, cut, chances, self.labels, self._settings["joins"])
            for text, cut, chances in zip(texts, places, self._chances(words), strict=True)
        ]

    def words(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The label of each word of sentences that are split into words."""
        return [
            [self.labels[best] for best in chances.argmax(-1).tolist()]
            for chances in self._chances(sentences)
        ]

    def _chances(self, sentences: Sequence[Sequence[str]]) -> list[Any]:
        """Class probabilities of the words of each sentence, shape (words, classes)."""
        encodings = self._model.tokenizer.encode_batch(
            [list(words) for words in sentences], is_pretokenized=True, add_special_tokens=False
        )
        windows = [
            (index, window)
            for index, (words, encoding) in enumerate(zip(sentences, encodings, strict=True))
            for window in self._code.read_windows(
                self._around,
                encoding.ids,
                encoding.word_ids,
                len(words),
                unknown=self._model.unknown_id,
                max_length=self._settings["max_length"],
                stride=self._settings["stride"],
            )
            if window.words
        ]
        logits = [np.zeros((len(words), len(self.labels))) for words in sentences]
        for row, (said,) in self._model.run([window.ids for _, window in windows]):
            index, window = windows[row]
            logits[index][window.words] = said[window.columns]
        return [self._code.probabilities(rows, self._settings["temperature"]) for rows in logits]


class Reader:
    """Answers questions from contexts."""

    def __init__(self, model: _Model) -> None:
        self._model = model
        self._code = _module("answer_windows")
        self._settings = {**self._code.DEFAULTS, **model.config.get("workbench_question_answering", {})}
        pair = model.tokenizer.encode("x", "x")
        self._template = self._code.PairTemplate.of(pair.ids, pair.type_ids, pair.sequence_ids, model.cls_id)

    def __call__(self, question: str | Sequence[str], context: str | Sequence[str], top_k: int = 1) -> Any:
        """The answer to a question, or to each of several with a context each.

        Returns:
            ``{"answer", "score", "start", "end"}``, ``""`` for no answer; a list where ``top_k`` is more than 1, or
            several questions were asked.
        """
        if isinstance(question, str) and isinstance(context, str):
            return self([question], [context], top_k)[0]
        found: list[list[Any]] = [[] for _ in question]
        windows = [
            (index, window)
            for index, (asked, text) in enumerate(zip(question, context, strict=True))
            for window in self._windows(asked, text)
        ]
        outputs = self._model.run(
            [window.ids for _, window in windows], [window.types for _, window in windows]
        )
        for row, (starts, ends) in sorted(outputs, key=lambda item: item[0]):
            index, window = windows[row]
            found[index].append((starts[window.columns], ends[window.columns], window.places))
        settings = self._settings
        answers = [
            self._code.best_answers(
                text,
                windows_of,
                top_k=top_k,
                allow_no_answer=settings["allow_no_answer"],
                threshold=settings["no_answer_threshold"],
                longest=settings["max_answer_tokens"],
            )
            for text, windows_of in zip(context, found, strict=True)
        ]
        return [given[0] for given in answers] if top_k == 1 else answers

    def _windows(self, question: str, context: str) -> Iterator[Any]:
        encode = self._model.tokenizer.encode
        text = encode(context, add_special_tokens=False)
        given: Iterator[Any] = self._code.read_windows(
            self._template,
            encode(question.strip(), add_special_tokens=False).ids,
            context,
            text.ids,
            text.offsets,
            max_length=self._settings["max_length"],
            stride=self._settings["stride"],
        )
        return given


def _module(name: str) -> Any:
    """A file beside this one: of the same package, or else of the same folder."""
    return import_module(f".{name}" if __package__ else name, __package__ or None)


def _padded(rows: Sequence[Sequence[int]], width: int, fill: int) -> Any:
    box = np.full((len(rows), width), fill, dtype=np.int64)
    for index, row in enumerate(rows):
        box[index, : len(row)] = row
    return box
