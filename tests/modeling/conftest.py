"""Tiny models and data that the tests of modeling share."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests.modeling.tiny import make_tiny_model, make_tiny_roberta, make_tiny_xlnet
from tests.tasks.examples import sentence
from workbench.domain import Answer, Answers, ExampleText, Payload, Span, Spans, Tags

PEOPLE = ("anna", "bob", "carol", "dave", "emil", "fatma")
PLACES = ("paris", "rome", "oslo", "lima", "kyoto", "cairo")
VERBS = ("visited", "left", "loves", "saw")
WORDS = (
    *PEOPLE,
    *PLACES,
    *VERBS,
    "who",
    "where",
    "did",
    "in",
    "yesterday",
    "went",
    "nobody",
    "?",
    ".",
    "the",
)

Labeled = tuple[ExampleText, Payload]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT that knows the words."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "bert", WORDS)


@pytest.fixture(scope="session")
def tiny_left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with batches padded on the left."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "left", WORDS, padding_side="left")


@pytest.fixture(scope="session")
def tiny_xlnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny XLNet, which is padded on the left."""
    return make_tiny_xlnet(tmp_path_factory.mktemp("tiny") / "xlnet", WORDS)


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny RoBERTa with a byte-level tokenizer."""
    return make_tiny_roberta(tmp_path_factory.mktemp("tiny") / "roberta")


def people_in_places(count: int, seed: int = 0) -> list[list[str]]:
    """Sentences such as ``anna visited rome yesterday .``, some doubled."""
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        row = [rng.choice(PEOPLE), rng.choice(VERBS), rng.choice(PLACES)]
        rows.append(row + rng.choice([[], ["yesterday"], ["."], [".", rng.choice(PEOPLE), "went"]]))
    return rows


def labeled_ner(count: int, seed: int = 0) -> list[Labeled]:
    """Sentences with people and places."""
    result: list[Labeled] = []
    for words in people_in_places(count, seed):
        example = sentence(words)
        kinds = ["PER" if w in PEOPLE else "LOC" if w in PLACES else None for w in words]
        spans = [Span(*token, kind) for token, kind in zip(example.tokens, kinds, strict=True) if kind]
        result.append((example, Spans(tuple(spans))))
    return result


def labeled_pos(count: int, seed: int = 0) -> list[Labeled]:
    """Sentences with tags."""
    tags = dict.fromkeys((*PEOPLE, *PLACES), "NNP") | dict.fromkeys(VERBS, "VBD")
    return [
        (sentence(words), Tags(tuple(tags.get(word, "RB") for word in words)))
        for words in people_in_places(count, seed)
    ]


def labeled_qa(count: int, seed: int = 0) -> list[Labeled]:
    """Who did it; and "who?" of a sentence without anybody, which has no answer."""
    result: list[Labeled] = []
    for index, words in enumerate(people_in_places(count, seed)):
        nobody = index % 3 == 0
        example = sentence(["nobody", *words[1:]] if nobody else words, question="who did ?")
        result.append((example, Answers(() if nobody else (Answer(*example.tokens[0]),))))
    return result


settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

LABELED = {"ner": labeled_ner, "pos": labeled_pos, "qa": labeled_qa}
LABELS = {"ner": ["PER", "LOC"], "pos": ["NNP", "VBD", "RB"], "qa": []}
