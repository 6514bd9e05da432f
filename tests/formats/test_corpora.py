"""The published corpora: their counts, and their bytes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.domain import Answers, NewExample, Spans
from workbench.formats import ReadOptions, Report, Source, get_format
from workbench.services.importing import detect_format

ENG_TRAIN = "conll2003/eng.train"
ENG_TESTA = "conll2003/eng.testa"
WNUT_TRAIN = "wnut17/wnut17train.conll"
WNUT_DEV = "wnut17/emerging.dev.conll"
EWT = "ud_ewt/en_ewt-ud-dev.conllu"
XQUAD = "xquad/xquad.en.json"
POLICYQA = "policyqa/policyqa.json"
COVIDQA = "covidqa/covidqa.json"


def load(folder: Path, name: str, task: str, **columns: str | int) -> tuple[list[NewExample], Report]:
    source = Source(Path(name).name, (folder / name).read_bytes())
    report = Report()
    found = detect_format(source, task)
    return list(found.read(source, ReadOptions(task, columns), report)), report


@pytest.mark.parametrize(
    ("name", "examples", "documents", "tokens", "entities", "scheme"),
    [
        (ENG_TRAIN, 14_041, 946, 203_621, 23_499, "IOB1"),
        (ENG_TESTA, 3_250, 216, 51_362, 5_942, "IOB1"),
        (WNUT_TRAIN, 3_394, 1, 62_730, 1_975, "IOB2"),
        (WNUT_DEV, 1_009, 1, 15_733, 836, "IOB2"),
    ],
)
def test_entities(
    data_dir: Path, name: str, examples: int, documents: int, tokens: int, entities: int, scheme: str
) -> None:
    found, report = load(data_dir, name, "ner")
    assert len(found) == examples
    assert len({example.document for example in found}) == documents
    assert sum(len(example.content.tokens) for example in found) == tokens
    assert sum(len(e.payload.spans) for e in found if isinstance(e.payload, Spans)) == entities
    assert report.mapping["scheme"] == scheme
    assert report.notices == []


@pytest.mark.parametrize(("tag", "tags"), [("xpos", 49), ("upos", 17)])
def test_parts_of_speech(data_dir: Path, tag: str, tags: int) -> None:
    found, report = load(data_dir, EWT, "pos", tag=tag)
    assert len(found) == 2_001
    assert sum(len(example.content.tokens) for example in found) == 25_147
    assert len({name for example in found for name in example.payload.tags if name}) == tags  # type: ignore[union-attr]
    assert report.notices == []
    conll, _ = load(data_dir, ENG_TESTA, "pos")
    assert len(conll) == 3_250


@pytest.mark.parametrize(
    ("name", "passages", "questions", "several", "repaired"),
    [(XQUAD, 240, 1_190, 0, 0), (POLICYQA, 574, 3_809, None, 0), (COVIDQA, 98, 1_380, 0, 234)],
)
def test_questions(
    data_dir: Path, name: str, passages: int, questions: int, several: int | None, repaired: int
) -> None:
    found, report = load(data_dir, name, "qa")
    assert len(found) == questions
    assert len({example.document for example in found}) == passages
    answers = [example.payload.answers for example in found if isinstance(example.payload, Answers)]
    assert len(answers) == questions
    assert report.repaired == repaired
    assert report.skipped == 0
    if several is not None:
        assert sum(len(given) > 1 for given in answers) == several


@pytest.mark.parametrize(
    ("name", "task"),
    [
        (ENG_TESTA, "ner"),
        (ENG_TESTA, "pos"),
        (WNUT_TRAIN, "ner"),
        (WNUT_DEV, "ner"),
        (EWT, "pos"),
        (XQUAD, "qa"),
        (POLICYQA, "qa"),
        (COVIDQA, "qa"),
    ],
)
def test_locators_find_the_labels_that_were_read(data_dir: Path, name: str, task: str) -> None:
    """Write every example's own labels into its place: reading again must give the very same examples."""
    from workbench.formats import Change

    found, report = load(data_dir, name, task)
    source = Source(Path(name).name, (data_dir / name).read_bytes())
    changes = [Change(e.locator, e.content, None, e.payload) for e in found if e.payload is not None]
    item = detect_format(source, task)
    patched = item.patch(source, report.mapping, changes, Report())
    again = list(get_format(item.name).read(Source(source.name, patched), ReadOptions(task), Report()))
    assert again == found
