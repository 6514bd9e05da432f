"""Questions and contexts: windows, offsets in code points, targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.tasks.examples import sentence
from workbench.domain import Answer, ExampleText
from workbench.modeling.encode_answers import encode_answers
from workbench.modeling.tokenizer import SubwordTokenizer, load_tokenizer

QUESTION = "who did ?"
LONG = sentence(
    [
        "anna",
        "visited",
        "rome",
        ".",
        "bob",
        "left",
        "oslo",
        ".",
        "carol",
        "saw",
        "lima",
        ".",
        "dave",
        "loves",
        "cairo",
    ],
    question=QUESTION,
)


@pytest.fixture(scope="module")
def tokenizer(tiny: Path) -> SubwordTokenizer:
    return load_tokenizer(tiny, for_words=False)


def test_it_encodes_as_transformers_does(tokenizer: SubwordTokenizer):
    windows = encode_answers(tokenizer, [LONG], max_length=64, stride=8)
    expected = tokenizer.hf(QUESTION, LONG.text, return_offsets_mapping=True)
    assert windows.ids[0].tolist() == expected["input_ids"]
    assert windows.types.tolist() == expected["token_type_ids"]
    inside = [i for i, part in enumerate(expected.sequence_ids()) if part == 1]
    assert windows.columns[0].tolist() == [0, *inside]
    assert windows.places.tolist() == [[-1, -1], *map(list, (expected["offset_mapping"][i] for i in inside))]


def test_only_the_context_is_cut_and_each_place_is_owned_once(tokenizer: SubwordTokenizer):
    windows = encode_answers(tokenizer, [LONG, LONG], max_length=14, stride=4)
    assert windows.example.tolist() == sorted(windows.example.tolist())
    assert (windows.lengths <= 14).all()
    question = tokenizer.hf(QUESTION)["input_ids"]
    for window in range(len(windows)):
        assert windows.ids[window][: len(question)].tolist() == question
    for example in (0, 1):
        rows = windows.windows_of(example)
        assert len(rows) > 2
        owned = [
            place
            for row in rows
            for place, own in zip(
                windows.places[slice(*windows.columns.bounds[row : row + 2])].tolist(),
                windows.owned[slice(*windows.columns.bounds[row : row + 2])],
                strict=True,
            )
            if own and place != [-1, -1]
        ]
        assert owned == [list(token) for token in LONG.tokens]


def test_targets_are_where_the_answer_is_and_cls_elsewhere(tokenizer: SubwordTokenizer):
    bob = LONG.text.index("bob left oslo")
    answer = Answer(bob, bob + len("bob left oslo"))
    windows = encode_answers(tokenizer, [LONG, LONG], max_length=16, stride=4)
    targets = windows.targets([answer, None], [LONG, LONG])
    held = 0
    for window, (first, last) in enumerate(targets.tolist()):
        if windows.example[window] == 1:
            assert (first, last) == (0, 0)
        elif first:
            held += 1
            text = tokenizer.hf.decode(windows.ids[window][first : last + 1])
            assert text == "bob left oslo"
        else:
            assert last == 0
            places = windows.places[slice(*windows.columns.bounds[window : window + 2])][1:]
            assert places[0, 0] > answer.start or places[-1, 1] < answer.end
    assert held >= 1


def test_white_space_and_dropped_signs_around_an_answer_do_not_hide_it(tokenizer: SubwordTokenizer):
    text = "\u200banna  visited \u200brome"
    example = ExampleText(text, question=QUESTION)
    windows = encode_answers(tokenizer, [example, example], max_length=32, stride=4)
    targets = windows.targets([Answer(0, 5), Answer(5, len(text))], [example] * 2)
    assert [tokenizer.hf.decode(windows.ids[i][a : b + 1]) for i, (a, b) in enumerate(targets)] == [
        "anna",
        "visited rome",
    ]


def test_offsets_are_code_points_and_accents_stay_with_their_letter(tokenizer: SubwordTokenizer):
    text = "👩‍👩‍👧 anna 🎉 e\u0301te\u0301 in Zu\u0308rich"
    windows = encode_answers(tokenizer, [ExampleText(text, question=QUESTION)], max_length=64, stride=8)
    pieces = [text[start:end] for start, end in windows.places[1:].tolist()]
    assert "anna" in pieces
    assert "👩‍👩‍👧" in pieces
    letters = [piece for piece in pieces if "\u0301" in piece or "\u0308" in piece]
    assert all(len(piece) > 1 or piece not in ("\u0301", "\u0308") for piece in letters)


def test_a_question_longer_than_the_window_is_cut_and_said_so(tokenizer: SubwordTokenizer):
    asked = ExampleText(LONG.text, question="who " * 200)
    windows = encode_answers(tokenizer, [LONG, asked], max_length=24, stride=16)
    assert windows.shortened == (1,)
    assert (windows.lengths <= 24).all()
    assert all(len(windows.columns[row]) > 5 for row in windows.windows_of(1))


def test_an_empty_context_has_one_window_without_places(tokenizer: SubwordTokenizer):
    windows = encode_answers(tokenizer, [ExampleText("", question=QUESTION)], max_length=24, stride=8)
    assert windows.columns[0].tolist() == [0]
    assert windows.targets([None], [ExampleText("")]).tolist() == [[0, 0]]


def test_where_batches_are_padded_on_the_left_the_context_comes_first(tiny_left: Path):
    tokenizer = load_tokenizer(tiny_left, for_words=False)
    windows = encode_answers(tokenizer, [LONG], max_length=64, stride=8)
    assert windows.ids[0].tolist() == tokenizer.hf(LONG.text, QUESTION)["input_ids"]
    assert windows.columns[0].tolist() == [0, *range(1, 1 + len(LONG.tokens))]


def test_roberta_puts_two_signs_between(tiny_roberta: Path):
    tokenizer = load_tokenizer(tiny_roberta, for_words=False)
    example = ExampleText("Zoë saw 🎉", question="who?")
    windows = encode_answers(tokenizer, [example], max_length=60, stride=8)
    assert windows.ids[0].tolist() == tokenizer.hf("who?", example.text)["input_ids"]
    places = windows.places[1:]
    assert (np.diff(places[:, 0]) >= 0).all()
    assert example.text[places[-1, 0] : places[-1, 1]] == "🎉"
