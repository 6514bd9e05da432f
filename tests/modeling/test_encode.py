"""Tokens become sub-words and come back: none is lost, each carries its class once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.modeling.conftest import WORDS
from tests.tasks.examples import sentence
from workbench.errors import InvalidInput
from workbench.modeling.encode import TaggingWindows, continuation_of, encode_tagging
from workbench.modeling.tokenizer import SubwordTokenizer, load_tokenizer

CLS, SEP, UNK = 2, 3, 1


@pytest.fixture(scope="module")
def tokenizer(tiny: Path) -> SubwordTokenizer:
    return load_tokenizer(tiny, for_words=True)


def pieces(tokenizer: SubwordTokenizer, windows: TaggingWindows, window: int = 0) -> list[str]:
    return list(tokenizer.hf.convert_ids_to_tokens(windows.ids[window].tolist()))


def test_the_first_subword_carries_the_class_and_the_rest_none(tokenizer: SubwordTokenizer):
    windows = encode_tagging(tokenizer, [sentence(["Anna", "xyz", "."])], max_length=64, stride=8)
    assert pieces(tokenizer, windows) == ["[CLS]", "anna", "x", "##y", "##z", ".", "[SEP]"]
    targets = windows.targets(np.array([1, 3, 0]))
    assert targets.tolist() == [-100, 1, 3, -100, -100, 0, -100]


def test_label_all_subwords_continues_a_chunk(tokenizer: SubwordTokenizer):
    windows = encode_tagging(tokenizer, [sentence(["Anna", "xyz", "."])], max_length=64, stride=8)
    classes = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    targets = windows.targets(
        np.array([1, 3, -100]), all_subwords=True, continuation=continuation_of(classes)
    )
    assert targets.tolist() == [-100, 1, 3, 4, 4, -100, -100]


def test_words_that_encode_to_nothing_are_kept_as_unknown(tokenizer: SubwordTokenizer):
    words = ["\u200b", "anna", "\x00", "\u200d\u200d", "rome", "\ufeff"]
    windows = encode_tagging(tokenizer, [sentence(words)], max_length=64, stride=8)
    assert pieces(tokenizer, windows) == [
        "[CLS]",
        "[UNK]",
        "anna",
        "[UNK]",
        "[UNK]",
        "rome",
        "[UNK]",
        "[SEP]",
    ]
    assert windows.targets(np.arange(6)).tolist() == [-100, 0, 1, 2, 3, 4, 5, -100]


def test_an_example_without_tokens_has_no_window(tokenizer: SubwordTokenizer):
    windows = encode_tagging(
        tokenizer, [sentence([]), sentence(["anna"]), sentence([])], max_length=64, stride=8
    )
    assert windows.example.tolist() == [1]
    assert windows.examples.tolist() == [0, 0, 1, 1]
    assert len(encode_tagging(tokenizer, [], max_length=64, stride=8)) == 0


def test_it_encodes_as_transformers_does(tokenizer: SubwordTokenizer):
    words = ["Anna", "isn't", "👩‍👩‍👧", "e\u0301te\u0301", "中文", "in", "ROME", "!"]
    windows = encode_tagging(tokenizer, [sentence(words)], max_length=64, stride=8)
    expected = tokenizer.hf(words, is_split_into_words=True)
    assert windows.ids[0].tolist() == expected["input_ids"]
    first = [expected.word_ids().index(word) for word in range(len(words))]
    assert windows.column.tolist() == first


@settings(max_examples=40)
@given(st.lists(st.lists(st.sampled_from([*WORDS, "xyz", "quick", "\u200b"]), max_size=40), max_size=4))
def test_every_token_is_read_once_in_the_window_that_owns_it(tiny: Path, rows: list[list[str]]):
    tokenizer = load_tokenizer_once(tiny)
    examples = [sentence(words) for words in rows]
    windows = encode_tagging(tokenizer, examples, max_length=16, stride=4)
    tokens = sum(map(len, rows))
    targets = windows.targets(np.arange(tokens))
    assert sorted(targets[targets >= 0].tolist()) == list(range(tokens))
    assert (windows.lengths <= 16).all()
    words = [word for row in rows for word in row]
    for window in range(len(windows)):
        ids = windows.ids[window]
        assert ids[0] == CLS
        assert ids[-1] == SEP
        for token in range(windows.tokens[window], windows.tokens[window + 1]):
            piece = tokenizer.hf.convert_ids_to_tokens(int(ids[windows.column[token]]))
            known = {"xyz": "x", "quick": "q", "\u200b": "[UNK]"}
            assert piece == known.get(words[token], words[token])
    every = windows.targets(np.arange(tokens), all_subwords=True)
    assert set(every[every >= 0].tolist()) == set(range(tokens))


_LOADED: dict[Path, SubwordTokenizer] = {}


def load_tokenizer_once(folder: Path) -> SubwordTokenizer:
    return _LOADED.setdefault(folder, load_tokenizer(folder, for_words=True))


def test_a_byte_level_tokenizer_gets_a_space_before_each_word(tiny_roberta: Path, tmp_path: Path):
    tokenizer = load_tokenizer(tiny_roberta, for_words=True)
    windows = encode_tagging(tokenizer, [sentence(["ab", "c"], space="")], max_length=32, stride=4)
    assert pieces(tokenizer, windows) == ["<s>", "Ġ", "a", "b", "Ġ", "c", "</s>"]
    assert windows.column.tolist() == [1, 4]
    tokenizer.hf.save_pretrained(tmp_path)
    again = load_tokenizer(tmp_path, for_words=True)
    assert pieces(again, encode_tagging(again, [sentence(["ab"])], max_length=32, stride=4))[1] == "Ġ"
    assert "Ġ" not in load_tokenizer(tiny_roberta, for_words=False).encode_texts(["ab"])[0].tokens


def test_a_window_that_holds_hardly_anything_is_refused(tokenizer: SubwordTokenizer):
    with pytest.raises(InvalidInput, match="give a max length of 10 or more|Give a max length of 10 or more"):
        encode_tagging(tokenizer, [sentence(["anna"])], max_length=5, stride=2)
