"""Models so small that a test trains them in a second: two layers, 32 wide, with random weights."""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizerFast,
    RobertaConfig,
    RobertaModel,
    RobertaTokenizerFast,
    XLNetConfig,
    XLNetModel,
)

from workbench.domain import ExampleText, Payload
from workbench.modeling.quiet import quiet_transformers
from workbench.services.snapshots import around
from workbench.tasks import get_task

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def make_tiny_model(
    folder: Path, words: Iterable[str], *, positions: int = 128, padding_side: str = "right"
) -> Path:
    """A base model in ``folder``: BERT with a WordPiece vocabulary of the words and of single letters.

    Args:
        folder: Made where it is missing.
        words: Each becomes one sub-word, in lower case; any other word falls into letters.
        positions: Longest window.
        padding_side: Of the tokenizer.
    """
    tokenizer = _word_piece(words, positions, padding_side)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=positions,
    )
    return _save(folder, BertModel, config, tokenizer)


def make_tiny_xlnet(folder: Path, words: Iterable[str]) -> Path:
    """A base model that is padded on the left, with the tokenizer of ``make_tiny_model``."""
    tokenizer = _word_piece(words, 128, "left")
    config = XLNetConfig(
        vocab_size=len(tokenizer), d_model=32, n_layer=2, n_head=2, d_inner=64, pad_token_id=0
    )
    return _save(folder, XLNetModel, config, tokenizer)


def _word_piece(words: Iterable[str], positions: int, padding_side: str) -> Any:
    letters = sorted({*string.ascii_lowercase, *string.digits, *string.punctuation, "é", "ö"})
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = list(dict.fromkeys([*pieces, *(word.lower() for word in words)]))
    return BertTokenizerFast(
        vocab={piece: index for index, piece in enumerate(vocabulary)},
        do_lower_case=True,
        strip_accents=False,
        model_max_length=positions,
        padding_side=padding_side,
    )


def make_tiny_roberta(folder: Path) -> Path:
    """A base model whose tokenizer is byte-level, without merges, and puts no space before the first word."""
    from tokenizers.pre_tokenizers import ByteLevel

    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(ByteLevel.alphabet())]
    tokenizer = RobertaTokenizerFast(
        vocab={piece: index for index, piece in enumerate(pieces)}, merges=[], model_max_length=62
    )
    config = RobertaConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=1,
    )
    return _save(folder, RobertaModel, config, tokenizer)


def _save(folder: Path, kind: Any, config: Any, tokenizer: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    state = torch.get_rng_state()
    torch.manual_seed(0)
    with quiet_transformers():
        kind(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    torch.set_rng_state(state)
    return folder


def write_attempt(
    folder: Path, task: str, rows: Sequence[tuple[str, ExampleText, Payload | None]], **manifest: Any
) -> Mapping[str, Any]:
    """An attempt's folder with ``examples.jsonl`` of (split, example, labels), and the manifest to compute it by."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "examples.jsonl").open("w", encoding="utf-8") as file:
        for index, (split, example, payload) in enumerate(rows):
            line = {
                "id": 100 + index,
                "split": split,
                "document": 1,
                "text": example.text,
                "tokens": [list(token) for token in example.tokens],
                "question": example.question,
                "payload": None if payload is None else get_task(task).dump(payload),
                **around(example),
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return {"run": 1, "attempt": 1, "task": task, **manifest}
