"""Figures equal to those of the scripts and libraries that others report.

How the reference figures were obtained, once, outside of this project: the rows below were written as files and
given to

* the official evaluate-v1.1.py and evaluate-v2.0.py of SQuAD (their scoring functions, unchanged);
* ``conlleval`` (the Perl script of 2004-01-26, default options, each sentence followed by an empty line), which prints
  percentages with two decimals;
* nervaluate 1.2.1 (``Evaluator(…, loader="dict")`` with inclusive ends).

What they printed stands here; none of them is needed to run these tests.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.tasks.examples import sentence
from workbench.domain import Answer, Answers, ExampleText, Spans
from workbench.tasks import get_task, overlap
from workbench.tasks.overlap import Counts, counts
from workbench.tasks.schemes import TokenSpan, token_spans
from workbench.tasks.tagging import to_character_spans

BRONCOS = "In 1998 the Denver Broncos won."
MONEY = "The U.S. paid $3.5 million, he said."
ELAN = "Élan vital – “élan” – costs 5 € in Zürich."
CATS = "A cat and a cat met the dog."
ODD = "It is -- well, odd."
SPACES = "two\u00a0 \twide   spaces"

ANSWERABLE: list[tuple[str, list[str], str]] = [
    (BRONCOS, ["Denver Broncos", "the Denver Broncos"], "the Denver Broncos won"),
    (BRONCOS, ["Denver Broncos", "Broncos"], "Broncos"),
    (MONEY, ["$3.5 million"], "3.5 million,"),
    (MONEY, ["The U.S."], "U.S."),
    (ELAN, ["“élan”"], "élan"),
    (ELAN, ["Zürich"], "in Zürich."),
    (ELAN, ["5 €"], "5"),
    (CATS, ["cat and a cat"], "cat met the dog"),
    (CATS, ["A", "cat"], "A"),
    (CATS, ["the"], "the"),
    (ODD, ["--"], "--"),
    (ODD, ["--", "odd"], "well"),
    (ODD, ["odd"], ""),
    ("the cat theory of an animal", ["theory of an animal"], "cat theory"),
    (SPACES, ["two\u00a0 \twide"], "wide   spaces"),
    ("co-operate, cooperate", ["co-operate"], "cooperate"),
    ("北京 is 北京 city", ["北京"], "北京 city"),
    ("İstanbul and istanbul", ["İstanbul"], "istanbul"),
]
UNANSWERABLE: list[tuple[str, list[str], str]] = [
    (ODD, [], ""),
    (ODD, [], "odd"),
    (CATS, [], "A"),
    (BRONCOS, [], ""),
]


def answers(context: str, texts: list[str]) -> Answers:
    places = [(context.index(text), len(text)) for text in texts if text]
    return Answers(tuple(Answer(start, start + length) for start, length in places))


def squad_figures(rows: list[tuple[str, list[str], str]]) -> dict[str, object]:
    gold = [answers(context, texts) for context, texts, _ in rows]
    given = [answers(context, [text]) for context, _, text in rows]
    contexts = [ExampleText(context, (), "?") for context, _, _ in rows]
    return get_task("qa").evaluate(gold, given, contexts, [])


def test_squad_1_digit_for_digit() -> None:
    figures = squad_figures(ANSWERABLE)
    assert figures["squad_v1"] == {"exact_match": 38.888888888888886, "f1": 44.62962962962963}


def test_squad_2_digit_for_digit() -> None:
    figures = squad_figures(ANSWERABLE)
    assert (figures["exact_match"], figures["f1"]) == (33.333333333333336, 55.74074074074074)
    both = squad_figures(ANSWERABLE + UNANSWERABLE)
    assert (both["exact_match"], both["f1"]) == (40.90909090909091, 59.24242424242424)
    assert (both["has_answer_exact_match"], both["has_answer_f1"]) == (33.333333333333336, 55.74074074074074)
    assert both["no_answer_accuracy"] == 75.0
    assert (both["has_answer_examples"], both["no_answer_examples"]) == (18, 4)
    assert both["squad_v1"] is None


IOB2 = [
    ("B-PER I-PER O B-LOC B-LOC O B-ORG I-ORG I-ORG O", "B-PER I-PER O B-LOC I-LOC O B-ORG I-ORG O O"),
    ("B-MISC O B-PER O B-LOC I-LOC", "I-MISC O B-ORG O B-LOC I-LOC"),
    ("O O B-ORG I-ORG B-ORG", "O B-ORG I-ORG I-ORG B-ORG"),
    ("B-LOC B-LOC O B-PER I-PER I-PER", "B-LOC B-LOC O I-PER I-LOC I-PER"),
    ("B-Z-9 O O", "B-Z-9 O I-PER"),
]
IOB1 = [
    ("I-PER I-PER O I-LOC B-LOC O I-ORG I-ORG I-ORG O", "I-PER I-PER O I-LOC B-LOC O I-ORG I-ORG O O"),
    ("I-MISC O I-PER O I-LOC I-LOC", "B-MISC O I-ORG O I-LOC B-LOC"),
    ("O O I-ORG I-ORG B-ORG", "O I-ORG I-ORG I-ORG B-ORG"),
    ("I-LOC B-LOC O I-PER I-PER I-PER", "I-LOC I-LOC O I-PER I-LOC I-PER"),
    ("I-PER I-ORG I-ORG B-ORG", "I-PER I-ORG B-ORG I-ORG"),
]
CONLLEVAL = {
    "IOB2": (
        IOB2,
        {
            "": (46.67, 53.85, 50.00),
            "LOC": (60.00, 60.00, 60.00),
            "MISC": (100.0, 100.0, 100.0),
            "ORG": (25.00, 33.33, 28.57),
            "PER": (25.00, 33.33, 28.57),
            "Z-9": (100.0, 100.0, 100.0),
        },
        13,
    ),
    "IOB1": (
        IOB1,
        {
            "": (35.29, 40.00, 37.50),
            "LOC": (33.33, 40.00, 36.36),
            "MISC": (100.0, 100.0, 100.0),
            "ORG": (16.67, 20.00, 18.18),
            "PER": (50.00, 50.00, 50.00),
        },
        15,
    ),
}


@pytest.mark.parametrize("scheme", CONLLEVAL)
def test_conlleval_to_its_last_digit(scheme: str) -> None:
    rows, printed, phrases = CONLLEVAL[scheme]
    examples, gold, guess = [], [], []
    for truth, said in rows:
        example = sentence([f"w{index}" for index in range(len(truth.split()))])
        examples.append(example)
        gold.append(Spans(to_character_spans(token_spans(truth.split()), example)))
        guess.append(Spans(to_character_spans(token_spans(said.split()), example)))
    metrics = get_task("ner").evaluate(gold, guess, examples, ["LOC", "MISC", "ORG", "PER", "Z-9"])
    found = {"": metrics, **metrics["per_label"]}
    assert metrics["entities"] == phrases
    assert {
        label: tuple(round(100 * row[name], 2) for name in ("precision", "recall", "f1"))
        for label, row in found.items()
        if isinstance(row, dict) and "f1" in row
    } == printed


Document = tuple[list[tuple[int, int, str]], list[tuple[int, int, str]]]
DOCUMENTS: list[Document] = [
    ([(1, 2, "A"), (3, 4, "A"), (4, 6, "B")], [(3, 6, "B")]),
    ([(3, 4, "A")], [(3, 4, "A")]),
    ([(0, 1, "A"), (4, 5, "B")], [(4, 5, "B")]),
    ([(0, 3, "B"), (5, 6, "A"), (7, 8, "B")], [(0, 3, "B"), (5, 6, "A"), (7, 8, "B")]),
    ([(1, 3, "A")], [(0, 3, "A")]),
    ([(3, 4, "B")], [(3, 4, "A")]),
    ([(3, 4, "B")], [(3, 4, "B")]),
    ([(0, 3, "B"), (3, 4, "B"), (4, 6, "A"), (7, 9, "A")], [(0, 4, "B"), (4, 7, "A")]),
    (
        [(0, 3, "B"), (4, 5, "A"), (5, 6, "A"), (7, 8, "B")],
        [(0, 4, "B"), (5, 6, "B"), (7, 8, "A")],
    ),
    ([(4, 5, "B")], [(3, 5, "B")]),
    (
        [(0, 1, "A"), (2, 3, "B"), (4, 5, "A"), (7, 8, "B"), (8, 9, "B")],
        [(0, 2, "B"), (2, 3, "B"), (6, 8, "B"), (8, 9, "B")],
    ),
    ([(0, 1, "B"), (5, 6, "A")], [(0, 2, "A"), (5, 6, "A")]),
]


def test_overlap_figures_equal_nervaluate() -> None:
    rows = [
        counts([TokenSpan(*item) for item in gold], [TokenSpan(*item) for item in guess])
        for gold, guess in DOCUMENTS
    ]
    figures = overlap.total(rows)
    assert sum((row["partial"] for row in rows), Counts()) == Counts(12, 0, 9, 7, 0)
    assert sum((row["type"] for row in rows), Counts()) == Counts(16, 5, 0, 7, 0)
    assert sum((row["exact"] for row in rows), Counts()) == Counts(12, 9, 0, 7, 0)
    printed = {
        "partial": (0.7857142857142857, 0.5892857142857143, 0.6734693877551021),
        "type": (0.7619047619047619, 0.5714285714285714, 0.6530612244897959),
        "exact": (0.5714285714285714, 0.42857142857142855, 0.48979591836734687),
    }
    for name, expected in printed.items():
        assert tuple(figures[name][key] for key in ("precision", "recall", "f1")) == pytest.approx(expected)


def test_overlap_figures_by_hand() -> None:
    # "Anna Lee met Bob in New York": Anna Lee PER, Bob PER, New York LOC in gold.
    gold = [TokenSpan(0, 2, "PER"), TokenSpan(3, 4, "PER"), TokenSpan(5, 7, "LOC")]
    # The first is cut short, the second has another label, "met" is spurious, New York is missed.
    guess = [TokenSpan(0, 1, "PER"), TokenSpan(2, 3, "PER"), TokenSpan(3, 4, "LOC")]
    found = counts(gold, guess)
    assert found["exact"] == Counts(correct=1, incorrect=1, missed=1, spurious=1)
    assert found["partial"] == Counts(correct=1, partial=1, missed=1, spurious=1)
    assert found["type"] == Counts(correct=1, incorrect=1, missed=1, spurious=1)
    assert found["partial"].figures()["f1"] == pytest.approx(1.5 / 3)
    assert Counts().figures()["f1"] == 0.0


def random_spans(rng: np.random.Generator, example: ExampleText) -> Spans:
    places, end = [], 0
    while end < len(example.tokens):
        size = int(rng.integers(1, 4))
        if rng.random() < 0.4 and end + size <= len(example.tokens):
            places.append(TokenSpan(end, end + size, str(rng.choice(["A", "B-2", "C"]))))
            end += size
        else:
            end += 1
    return Spans(to_character_spans(places, example))


@pytest.mark.parametrize("mode", [None, "strict"])
def test_entities_are_counted_as_seqeval_counts_them(mode: str | None) -> None:
    from seqeval.metrics import accuracy_score, classification_report
    from seqeval.scheme import IOB2 as SEQEVAL_IOB2

    rng = np.random.default_rng(3)
    task = get_task("ner")
    examples = [sentence([f"w{index}" for index in range(int(rng.integers(1, 12)))]) for _ in range(60)]
    gold = [random_spans(rng, example) for example in examples]
    guess = [
        own if rng.random() < 0.3 else random_spans(rng, each)
        for own, each in zip(gold, examples, strict=True)
    ]
    rows = [
        [task.tags(payload, each) for payload, each in zip(part, examples, strict=True)]
        for part in (gold, guess)
    ]
    options = {"mode": mode, "scheme": SEQEVAL_IOB2} if mode else {}
    report = classification_report(*rows, output_dict=True, zero_division=0, **options)
    metrics = task.evaluate(gold, guess, examples, ["A", "B-2", "C"])
    ours = metrics["strict"] if mode else metrics
    for name, theirs in report.items():
        row = ours if name == "micro avg" else metrics["per_label"].get(name)
        if row is not None:
            expected = tuple(float(theirs[key]) for key in ("precision", "recall", "f1-score"))
            assert tuple(row[key] for key in ("precision", "recall", "f1")) == pytest.approx(expected)
    assert {name: row["support"] for name, row in metrics["per_label"].items()} == {
        name: int(report[name]["support"]) for name in ("A", "B-2", "C")
    }
    assert metrics["accuracy"] == pytest.approx(accuracy_score(*rows))
