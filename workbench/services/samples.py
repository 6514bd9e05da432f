"""The sample projects: small corpora of our own writing, split by document, to try the loop on.

Most documents go into the pool with their labels kept aside as a simulated annotator's answers; the others are
labeled, for validation and for the test.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from importlib import resources
from typing import TypeVar

from workbench.domain import Project, Split
from workbench.errors import AlreadyExists, UnknownName
from workbench.formats.source import Source
from workbench.services.importing import ImportOptions
from workbench.services.workbench import Workbench

T = TypeVar("T")

COLUMNS = {"ner": {"token": 0, "tag": 2}, "pos": {"token": 0, "tag": 1}}
"""Columns of ``tokens.conll``."""

PARTS = {
    Split.POOL: frozenset({0, 1, 3, 5, 6, 7, 8}),
    Split.VALIDATION: frozenset({2}),
    Split.TEST: frozenset({4, 9}),
}
"""Which documents of each ten: neighbours in the file go to different splits, whole documents to one."""

DOCUMENT = re.compile(r"^(?=-DOCSTART-)", re.MULTILINE)

NER_GUIDELINES = """Mark **names**, each from its first to its last word; titles such as *Dr.* stay outside.

- **PER**: people. **ORG**: companies, councils, clubs, schools. **LOC**: places, rivers, streets, buildings.
- **MISC**: nationalities, languages, works, events, ships.
- *The mayor* and *the council* alone are no names. A place that acts (*Oslo won 2–1*) is an **ORG**."""
POS_GUIDELINES = """Give each word its **Penn Treebank tag**.

- Names are **NNP** (plural **NNPS**), other nouns **NN** and **NNS**.
- *to* is always **TO**; *that* is **IN** before a clause, **DT** before a noun, **WDT** in place of *which*.
- A word in *-ing* is **VBG** where it is a verb, **NN** where it takes an article, **JJ** where it describes."""
QA_GUIDELINES = """Mark the **shortest words that answer the question**, without the full stop.

- A number goes with its unit, a name with its title.
- Where the text does not say it, choose **no answer**, even if you know."""
GUIDELINES = {"ner": NER_GUIDELINES, "pos": POS_GUIDELINES, "qa": QA_GUIDELINES}


def sample_name(task: str) -> str:
    """The name that a sample project gets by default."""
    return f"sample-{task}"


def load_sample(workbench: Workbench, task: str, name: str | None = None) -> Project:
    """Make a project of the shipped sample.

    Args:
        workbench: Where.
        task: ner, pos or qa.
        name: Of the project; ``sample-<task>`` by default.

    Raises:
        UnknownName: There is no sample for the task.
        AlreadyExists: The name is taken.
    """
    if task not in GUIDELINES:
        raise UnknownName("sample", task, GUIDELINES)
    project = workbench.projects.create(name or sample_name(task), task)
    project = workbench.projects.set_guidelines(project, GUIDELINES[task])
    parts = _question_parts() if task == "qa" else _token_parts()
    options = ImportOptions(format="squad" if task == "qa" else "conll", columns=COLUMNS.get(task, {}))
    aside = ImportOptions(format=options.format, columns=options.columns, unlabeled=True)
    for split, source in parts.items():
        workbench.datasets.import_sources(project, [source], split, aside if split is Split.POOL else options)
    return workbench.projects.get(project.name)


def ensure_samples(workbench: Workbench) -> tuple[Project, ...]:
    """Load every sample into a workbench that has no project yet; what was loaded.

    Another process that starts at the same moment may load some of them.
    """
    if workbench.projects.list():
        return ()
    loaded = []
    for task in GUIDELINES:
        with suppress(AlreadyExists):
            loaded.append(load_sample(workbench, task))
    return tuple(loaded)


def _order() -> tuple[Split, ...]:
    return (Split.TEST, Split.VALIDATION, Split.POOL)


def _token_parts() -> dict[Split, Source]:
    text = _read("tokens.conll")
    documents = [part for part in DOCUMENT.split(text) if part.strip()]
    return {
        split: Source(f"tokens.{split}.conll", "".join(_chosen(documents, split)).encode())
        for split in _order()
    }


def _question_parts() -> dict[Split, Source]:
    corpus = json.loads(_read("questions.json"))
    return {
        split: Source(
            f"questions.{split}.json",
            json.dumps({**corpus, "data": _chosen(corpus["data"], split)}, ensure_ascii=False).encode(),
        )
        for split in _order()
    }


def _chosen(documents: list[T], split: Split) -> list[T]:
    return [document for index, document in enumerate(documents) if index % 10 in PARTS[split]]


def _read(name: str) -> str:
    return resources.files("workbench").joinpath("samples", name).read_text(encoding="utf-8")
