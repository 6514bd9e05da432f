"""Windows: every sub-word is read once, where it has the most context."""

from __future__ import annotations

import doctest
import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.modeling import ragged, windows
from workbench.modeling.ragged import Ragged, budget_batches, training_batches
from workbench.modeling.windows import fitting_stride, gaps_joined, plan

sizes = st.tuples(st.integers(0, 200), st.integers(1, 40)).flatmap(
    lambda size: st.tuples(st.just(size[0]), st.just(size[1]), st.integers(0, size[1] // 2))
)


@given(sizes)
def test_every_subword_is_read_in_one_window_that_holds_it(size: tuple[int, int, int]):
    length, capacity, stride = size
    found = plan(length, capacity, stride)
    assert [i for w in found for i in range(w.own_start, w.own_end)] == list(range(length))
    for window in found:
        assert 0 <= window.start <= window.own_start <= window.own_end <= window.end <= length
        assert window.end - window.start == min(capacity, length)


@given(sizes)
def test_that_window_gives_it_the_most_context(size: tuple[int, int, int]):
    length, capacity, stride = size
    found = plan(length, capacity, stride)

    def context(window: windows.Window, at: int) -> int:
        return min(at - window.start, window.end - 1 - at)

    for window in found:
        for at in range(window.own_start, window.own_end):
            assert context(window, at) == max(context(w, at) for w in found if w.start <= at < w.end)


@given(sizes)
def test_neighbours_share_the_stride(size: tuple[int, int, int]):
    length, capacity, stride = size
    found = plan(length, capacity, stride)
    for before, after in itertools.pairwise(found):
        assert before.end - after.start >= stride


def test_a_stride_wider_than_half_a_window_is_narrowed():
    assert fitting_stride(10, 64) == 5
    assert fitting_stride(100, 64 // 2) == 32


def test_marks_after_a_letter_belong_to_it():
    text = "e\u0301te\u0301 x"  # two letters with a combining accent each
    offsets = np.array([[0, 1], [2, 4], [6, 7]])
    assert gaps_joined(text, offsets).tolist() == [[0, 2], [2, 5], [6, 7]]
    assert gaps_joined("a b", np.array([[0, 1], [2, 3]])).tolist() == [[0, 1], [2, 3]]


rows = st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=8)


@given(rows, st.booleans(), st.integers(0, 10_000))
def test_rows_are_padded_on_either_side(data: list[list[int]], left: bool, seed: int):
    made = Ragged.of(data)
    chosen = np.random.default_rng(seed).permutation(len(data))
    box, mask = made.padded(chosen, -1, left=left), made.mask(chosen, left=left)
    for row, index in enumerate(chosen.tolist()):
        values = data[index]
        filled = [-1] * (box.shape[1] - len(values))
        assert box[row].tolist() == (filled + values if left else values + filled)
        assert mask[row].sum() == len(values)
        assert made[index].tolist() == values


lengths = st.lists(st.integers(1, 60), min_size=1, max_size=80).map(np.array)


@given(lengths, st.integers(1, 300))
def test_budget_batches_hold_every_row_once_within_the_budget(data: np.ndarray, budget: int):
    batches = list(budget_batches(data, budget))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(data)))
    assert all(len(batch) == 1 or data[batch].max() * len(batch) <= budget for batch in batches)


def test_lengths_that_fill_batches_have_their_own_and_the_others_share():
    data = np.array([*[9] * 2, *[8] * 1, *[5] * 45, *[3] * 2, 1])
    batches = [data[batch].tolist() for batch in budget_batches(data, 100)]
    assert batches == [[9, 9, 8, *[5] * 8], [5] * 19, [5] * 18, [3, 3, 1]]


@given(lengths, st.integers(1, 300))
def test_budget_batches_begin_with_the_longest(data: np.ndarray, budget: int):
    in_order = data[np.concatenate(list(budget_batches(data, budget)))]
    assert (np.diff(in_order) <= 0).all()


@given(lengths, st.integers(1, 9), st.integers(0, 99))
def test_training_batches_hold_every_row_once_and_follow_from_the_seed(
    data: np.ndarray, size: int, seed: int
):
    one = training_batches(data, size, np.random.default_rng(seed), pool=3)
    two = training_batches(data, size, np.random.default_rng(seed), pool=3)
    assert [batch.tolist() for batch in one] == [batch.tolist() for batch in two]
    assert sorted(np.concatenate(one).tolist()) == list(range(len(data)))
    assert len(one) == -(-len(data) // size)
    assert max(map(len, one)) <= size


def test_batches_of_alike_length_hardly_pad():
    data = np.random.default_rng(0).integers(1, 100, size=2000)
    batches = training_batches(data, 16, np.random.default_rng(0))
    padded = sum(data[batch].max() * len(batch) for batch in batches)
    assert padded < 1.05 * data.sum()
    at_random = data[: 2000 // 16 * 16].reshape(-1, 16)
    assert padded < 0.6 * (at_random.max(axis=1) * 16).sum()


def test_docstring_examples():
    assert doctest.testmod(windows).failed == 0
    assert doctest.testmod(ragged).failed == 0
