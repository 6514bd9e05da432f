"""The tokenizer of a model, as the encoders need it: fast, with its special sub-words and its limits known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InvalidInput, ModelUnavailable
from workbench.modeling.quiet import quiet_transformers

FEWEST_WORDS = 8
"""A window must hold so many sub-words of text, or windows are of no use."""

_POSITIONS_AFTER_PADDING = frozenset(
    {
        "camembert",
        "data2vec-text",
        "ibert",
        "longformer",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    }
)
"""Model types that count positions from the padding index plus one, which costs them so many."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a tokenizer puts around one text, or around and between two.

    Attributes:
        parts: Special sub-words before the first text, between the two, and after the last; ids.
        types: Token type ids of those parts.
        text_types: Token type id of each text.
    """

    parts: tuple[tuple[int, ...], ...]
    types: tuple[tuple[int, ...], ...]
    text_types: tuple[int, ...]

    @property
    def size(self) -> int:
        """Special sub-words in all."""
        return sum(map(len, self.parts))


class SubwordTokenizer:
    """A fast tokenizer, loaded for words that are given (tagging) or for running text (questions).

    Attributes:
        hf: The transformers tokenizer, as it is saved with the model.
        pad_id: Fills batches up.
        unknown_id: Stands for a word that the tokenizer encodes to nothing.
        pads_left: Whether batches are filled up on the left.
        uses_types: Whether the model reads token type ids.
    """

    def __init__(self, hf: Any) -> None:
        self.hf = hf
        self._backend = hf.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()
        self.pads_left = hf.padding_side == "left"
        self.uses_types = "token_type_ids" in hf.model_input_names
        self.pad_id = next((i for i in (hf.pad_token_id, hf.eos_token_id) if i is not None), 0)
        known = (hf.unk_token_id, hf.mask_token_id, hf.eos_token_id)
        self.unknown_id = next((i for i in known if i is not None), self.pad_id)
        self.cls_id = hf.cls_token_id

    def encode_words(self, sentences: Sequence[Sequence[str]]) -> list[Any]:
        """Sub-words of each sentence's words, without special ones (``Encoding`` of tokenizers)."""
        return list(
            self._backend.encode_batch(
                list(map(list, sentences)), is_pretokenized=True, add_special_tokens=False
            )
        )

    def encode_texts(self, texts: Sequence[str]) -> list[Any]:
        """Sub-words of each text, with offsets in code points, without special ones."""
        return list(self._backend.encode_batch(list(texts), add_special_tokens=False))

    def fingerprint(self) -> str:
        """Of everything that decides which sub-words a text has."""
        parts = [self._backend.to_str(), self.pads_left, self.unknown_id, self.cls_id]
        parts += [repr(self.template(pair)) for pair in (False, True)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def template(self, pair: bool) -> Template:
        """What stands around one text, or around and between two."""
        encoded = self.hf("x", "x") if pair else self.hf("x")
        encoding = encoded.encodings[0]
        types: Sequence[int] = encoded.get("token_type_ids") or [0] * len(encoding.ids)
        texts = 2 if pair else 1
        parts: list[list[int]] = [[] for _ in range(texts + 1)]
        part_types: list[list[int]] = [[] for _ in range(texts + 1)]
        text_types = [0] * texts
        part = 0
        for token, kind, sequence in zip(encoding.ids, types, encoding.sequence_ids, strict=True):
            if sequence is None:
                parts[part].append(token)
                part_types[part].append(kind)
            else:
                part, text_types[sequence] = sequence + 1, kind
        return Template(tuple(map(tuple, parts)), tuple(map(tuple, part_types)), tuple(text_types))


def load_tokenizer(folder: Path, *, for_words: bool) -> SubwordTokenizer:
    """The tokenizer of a model folder.

    Args:
        folder: Holds the tokenizer's files.
        for_words: Whether it will be given words; a byte-level tokenizer must then put a space before each.

    Raises:
        ModelUnavailable: It can't be read, or there is only a slow one, which knows no offsets.
    """
    from transformers import AutoTokenizer

    more = {"add_prefix_space": True} if for_words else {}
    with quiet_transformers():
        try:
            hf = AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False, use_fast=True
            )
            if for_words and _lacks_prefix_space(hf):
                hf = AutoTokenizer.from_pretrained(
                    str(folder), local_files_only=True, trust_remote_code=False, use_fast=True, **more
                )
                _add_prefix_space(hf)
        except Exception as error:  # transformers raises whatever the file made it raise
            raise ModelUnavailable(
                f"the tokenizer in {folder} can't be read ({type(error).__name__})",
                remedy="choose another base model, or save this one again with its tokenizer",
            ) from error
    if not getattr(hf, "is_fast", False):
        raise ModelUnavailable(
            f"the tokenizer in {folder} is a slow one, which can't say where in the text a sub-word stands",
            remedy="choose a model with a fast tokenizer (tokenizer.json)",
        )
    return SubwordTokenizer(hf)


def _byte_levels(hf: Any) -> list[Any]:
    """The byte-level steps of a fast tokenizer."""
    step = getattr(getattr(hf, "backend_tokenizer", None), "pre_tokenizer", None)
    if step is None:
        return []
    steps = [step]
    if type(step).__name__ == "Sequence":
        steps = [step[index] for index in range(len(step))]
    return [step for step in steps if type(step).__name__ == "ByteLevel"]


def _lacks_prefix_space(hf: Any) -> bool:
    return any(not step.add_prefix_space for step in _byte_levels(hf))


def _add_prefix_space(hf: Any) -> None:
    """For generic tokenizers, which don't hear of it when they are loaded."""
    for step in _byte_levels(hf):
        step.add_prefix_space = True


def longest_window(hf: Any, config: Any) -> int:
    """Sub-words that the model can read at once, special ones included."""
    limits = [int(hf.model_max_length)]
    positions = getattr(config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        if config.model_type in _POSITIONS_AFTER_PADDING:
            positions -= (config.pad_token_id or 0) + 1
        limits.append(positions)
    return min(limits)


def check_window(max_length: int, template: Template) -> int:
    """Sub-words of text that fit into a window. Raises InvalidInput where hardly any do."""
    capacity = max_length - template.size
    if capacity < FEWEST_WORDS:
        raise InvalidInput(
            f"windows of {max_length} sub-words leave room for {max(capacity, 0)} of the text",
            remedy=f"give a max length of {template.size + FEWEST_WORDS} or more",
        )
    return capacity


def as_array(numbers: Sequence[int]) -> NDArray[np.int64]:
    """The numbers as an array."""
    return np.asarray(numbers, dtype=np.int64)
