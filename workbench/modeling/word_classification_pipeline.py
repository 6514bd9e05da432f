"""``pipeline("word-classification")`` for a model that the Annotation Workbench exported.

The token-classification pipeline of transformers decides about each sub-word and may cut a word in two; this one
decides about each word, as the workbench does. ``config.json`` names it under ``custom_pipelines``, and
``trust_remote_code=True`` lets transformers load it. It needs transformers, torch and NumPy only, opens no file and no
connection::

    from transformers import pipeline

    find = pipeline("word-classification", model=DIR, trust_remote_code=True)
    find("Ada Lovelace lived in London.")
    # [{'entity_group': 'PER', 'score': 0.99, 'word': 'Ada Lovelace', 'start': 0, 'end': 12}, …]

A text is cut into words by ``words.py``; to bring words of your own, give ``{"text": …, "words": [(start, end), …]}``,
half-open ranges of code points in order. A text that is longer than the model is read in overlapping windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from transformers.pipelines.base import ChunkPipeline

from .tag_windows import DEFAULTS, grouped, probabilities, read_windows
from .words import tokenize

Json = dict[str, Any]


class WordClassificationPipeline(ChunkPipeline):  # type: ignore[misc]
    """Finds entities, or tags words."""

    default_input_names = "text"

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """What is seen in a text, or in each of several.

        Args:
            inputs: A text, ``{"text", "words"}``, or a list of such.

        Returns:
            ``[{"entity_group", "score", "word", "start", "end"}]``, or a list of these for a list. Entities are
            joined; of other labels each word has one.
        """
        if isinstance(inputs, list | tuple):
            return list(super().__call__([_checked(one) for one in inputs], **kwargs))
        return super().__call__(_checked(inputs), **kwargs)

    def _sanitize_parameters(self) -> tuple[Json, Json, Json]:
        return {}, {}, {}

    @property
    def _settings(self) -> Json:
        return {**DEFAULTS, **(getattr(self.model.config, "workbench_words", None) or {})}

    def preprocess(self, given: Json) -> Iterator[Json]:
        """The windows of one text, one after the other."""
        text, places = given["text"], given["words"]
        ids, owners = self._subwords([text[start:end] for start, end in places])
        settings = self._settings
        windows = list(
            read_windows(
                self._around(),
                ids,
                owners,
                len(places),
                unknown=self._unknown(),
                max_length=settings["max_length"],
                stride=settings["stride"],
            )
        )
        for number, window in enumerate(windows):
            yield {
                "input_ids": torch.tensor([window.ids]),
                "attention_mask": torch.ones((1, len(window.ids)), dtype=torch.long),
                "text": text,
                "places": places,
                "length": len(window.ids),
                "columns": window.columns,
                "words": window.words,
                "is_last": number == len(windows) - 1,
            }

    def _forward(self, window: Json) -> Json:
        output = self.model(input_ids=window["input_ids"], attention_mask=window["attention_mask"])
        kept = {name: window[name] for name in ("text", "places", "length", "columns", "words", "is_last")}
        return {**kept, "logits": output.logits.float()}

    def postprocess(self, windows: list[Json]) -> list[Json]:
        """What the windows of one text say of its words."""
        text, places = windows[0]["text"], windows[0]["places"]
        names = self.model.config.id2label
        logits = np.zeros((len(places), len(names)))
        for window in windows:
            said = window["logits"][0].cpu().numpy()
            shift = len(said) - int(window["length"]) if self.tokenizer.padding_side == "left" else 0
            logits[window["words"]] = said[np.asarray(window["columns"], dtype=int) + shift]
        settings = self._settings
        chances = probabilities(logits, settings["temperature"])
        labels = [names[index] for index in range(len(names))]
        return grouped(text, places, chances, labels, settings["joins"])

    def _subwords(self, words: list[str]) -> tuple[list[int], list[int | None]]:
        """Sub-words of some words, and which word each belongs to."""
        if not words:
            return [], []
        encoded = self.tokenizer([words], is_split_into_words=True, add_special_tokens=False, verbose=False)
        return encoded["input_ids"][0], encoded.word_ids(0)

    def _around(self) -> tuple[list[int], list[int]]:
        """Special sub-words before and after a text."""
        whole = self.tokenizer("x")
        inside = [at for at, text in enumerate(whole.sequence_ids(0)) if text is not None]
        return whole["input_ids"][: inside[0]], whole["input_ids"][inside[-1] + 1 :]

    def _unknown(self) -> int:
        """Sub-word of a word that the tokenizer drops."""
        given = self.tokenizer
        known = (given.unk_token_id, given.mask_token_id, given.eos_token_id, given.pad_token_id)
        return next((one for one in known if one is not None), 0)


def _checked(given: Any) -> Json:
    """A text with its words. Raises ValueError where it has none, or they are not in order within it."""
    parts = {"text": given} if isinstance(given, str) else given
    if not isinstance(parts, dict) or not isinstance(parts.get("text"), str):
        raise ValueError(f'{given!r} is no text; give one, or {{"text": …, "words": [(start, end), …]}}')
    text, words = parts["text"], parts.get("words")
    places = list(tokenize(text)) if words is None else [(int(start), int(end)) for start, end in words]
    end = 0
    for place in places:
        if not end <= place[0] < place[1] <= len(text):
            raise ValueError(f"the word {place[0]} to {place[1]} is empty, out of order or outside the text")
        end = place[1]
    return {"text": text, "words": places}
