"""Near duplicates: found at the rate that the parameters promise, counted, and told where they straddle splits."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.test_contract import SAMPLES
from workbench import minhash
from workbench.domain import Project, Split
from workbench.formats import Source
from workbench.services import Workbench
from workbench.services.importing import ImportOptions
from workbench.services.splits import SplitPlan

WORDS = [f"word{i}" for i in range(400)]


def sentence(seed: int, words: int = 15) -> list[str]:
    return random.Random(seed).sample(WORDS, words)


def conll(*sentences: list[str] | str) -> bytes:
    rows = (one.split() if isinstance(one, str) else one for one in sentences)
    return "\n\n".join("\n".join(f"{word} O" for word in row) for row in rows).encode() + b"\n"


def changed(row: list[str], place: int = 7) -> list[str]:
    return [*row[:place], "other", *row[place + 1 :]]


@pytest.fixture
def news(workbench: Workbench) -> Project:
    return workbench.projects.create("news", "ner", ["PER"])


def jaccard(one: str, other: str) -> float:
    first, second = (set(zip(s.lower().split(), s.lower().split()[1:], strict=False)) for s in (one, other))
    return len(first & second) / len(first | second)


def test_the_estimate_is_near_the_truth_and_pairs_are_found() -> None:
    """500 pairs that share 13 of 17 pairs of words: nearly all found; 500 that share a third: hardly any."""
    rows = [sentence(seed, 16) for seed in range(500)]
    texts = [" ".join(row) for row in rows]
    close = [" ".join(changed(row)) for row in rows]
    far = [" ".join([*row[:9], *sentence(seed + 10_000, 7)]) for seed, row in enumerate(rows)]
    one, two, three = minhash.sketch(texts), minhash.sketch(close), minhash.sketch(far)
    truth = np.array([jaccard(a, b) for a, b in zip(texts, close, strict=True)])
    estimate = minhash.resemblance(one, two)
    assert abs(float((estimate - truth).mean())) < 0.02
    assert float(np.abs(estimate - truth).mean()) < 0.07
    found = minhash.among(two, one)
    assert (found == np.arange(500)).mean() > 0.85  # the truth is 0.76, the threshold 0.7, the error 0.05
    assert (minhash.among(three, one) >= 0).mean() < 0.02
    assert (minhash.earlier(np.concatenate([one, two]))[500:] >= 0).mean() > 0.85
    assert (minhash.earlier(one) == -1).all()


@given(st.lists(st.text(max_size=60), max_size=30))
def test_any_text_has_a_sketch_and_equal_texts_equal_ones(texts: list[str]) -> None:
    first = minhash.sketch(texts)
    again = minhash.sketch([text.upper().lower() if text.isascii() else text for text in reversed(texts)])[
        ::-1
    ]
    assert first.shape == (len(texts), 64)
    assert (first == again).all()
    enough = [len(text.lower().split()) >= minhash.LEAST_WORDS for text in texts]
    assert first.any(axis=1).tolist() == enough
    earlier = minhash.earlier(first)
    for index, text in enumerate(texts):
        if enough[index] and text in texts[:index]:
            assert earlier[index] >= 0
        assert earlier[index] < index


def test_questions_are_alike_only_on_the_same_context() -> None:
    question = "who wrote the very first of these long letters"
    one, other, elsewhere = minhash.sketch([question, question + " ?", question], ["a b", "a b", "c d"])
    assert minhash.resemblance(one[None], other[None])[0] > 0.8
    assert minhash.resemblance(one[None], elsewhere[None])[0] < 0.2


def test_duplicates_are_counted_within_and_against_what_is_stored(
    workbench: Workbench, news: Project
) -> None:
    one, two, three = sentence(1), sentence(2), sentence(3)
    report = workbench.datasets.import_sources(
        news, [Source("a.conll", conll(one, two, one, changed(two)))], Split.POOL
    )
    assert (report.duplicates, report.near_duplicates, report.leaks) == (1, 1, ())
    report = workbench.datasets.import_sources(
        news, [Source("b.conll", conll(changed(one), three, two))], Split.TRAIN
    )
    assert (report.duplicates, report.near_duplicates, report.warnings) == (1, 1, ())


def test_a_test_example_that_also_stands_in_the_pool_is_a_loud_warning(
    workbench: Workbench, news: Project
) -> None:
    one, two, three = sentence(1), sentence(2), sentence(3)
    workbench.datasets.import_sources(news, [Source("a.conll", conll(one, two))], Split.POOL)
    held_out = [Source("b.conll", conll(two, changed(one), three))]
    for report in (
        workbench.datasets.preview(news, held_out, Split.TEST).report,
        workbench.datasets.import_sources(news, held_out, Split.TEST),
    ):
        told = [notice.message for notice in report.warnings]
        assert told[0].startswith("1 of these test examples also stand in pool")
        assert told[1].startswith("1 more of these test examples stand in pool nearly word for word")
        exact, near = report.leaks
        assert (exact.split, exact.other_split, exact.similarity) == ("test", "pool", 1.0)
        assert exact.text == " ".join(two) and exact.other_id == "a.conll:17"
        assert 0.6 < near.similarity < 1 and near.other_text == " ".join(one)
    found = workbench.datasets.overlap(news)
    assert (found.exact, found.near) == (1, 1)
    assert [leak.text for leak in found.leaks] == [" ".join(two), " ".join(changed(one))]
    assert workbench.datasets.overlap(news, 0).leaks == ()
    workbench.datasets.import_sources(news, [Source("c.conll", conll(three))], Split.POOL)
    assert workbench.datasets.overlap(news).exact == 2  # what was found is found anew after an import


def test_leaks_between_the_splits_of_one_import(workbench: Workbench) -> None:
    project = workbench.projects.create("p", "ner", ["PER"])
    one = sentence(1)
    lines = [
        f'{{"text": "{" ".join(row)}", "split": "{split}"}}'
        for row, split in ((one, "train"), (changed(one), "dev"), (one, "test"), (sentence(5), ""))
    ]
    report = workbench.datasets.import_sources(
        project,
        [Source("a.jsonl", "\n".join(lines).encode())],
        Split.POOL,
        ImportOptions(plan=SplitPlan(by_file=True)),
    )
    assert dict(report.splits) == {"pool": 1, "test": 1, "train": 1, "validation": 1}
    assert {(leak.split, leak.other_split, leak.similarity == 1) for leak in report.leaks} == {
        ("test", "train", True),
        ("validation", "train", False),
    }
    counts = workbench.datasets.counts(project).examples
    assert [counts[split] for split in Split] == [1, 1, 1, 1]
    assert workbench.datasets.imports(project)[0].split is None


def test_imports_from_before_there_were_sketches_are_compared_too(
    workbench: Workbench, news: Project
) -> None:
    one = sentence(1)
    workbench.datasets.import_sources(news, [Source("a.conll", conll(one, sentence(2)))], Split.POOL)
    with workbench.store.write() as tx:
        tx.connection.exec_driver_sql("DELETE FROM sketches")
    report = workbench.datasets.import_sources(news, [Source("b.conll", conll(changed(one)))], Split.TEST)
    assert len(report.leaks) == 1


def test_questions_on_a_context_are_no_duplicates_of_each_other(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("q", "qa")
    report = sqlite_workbench.datasets.import_sources(
        project, [Source("a.json", SAMPLES["squad", "qa"].encode())], Split.TEST
    )
    assert report.near_duplicates == 0
