"""A project whose labels the tests change."""

from __future__ import annotations

import pytest

from tests.labelsets.corpus import CONLL
from workbench.domain import Project, Split
from workbench.formats import Source
from workbench.services import Workbench


@pytest.fixture
def news(workbench: Workbench) -> Project:
    project = workbench.projects.create("news", "ner")
    workbench.datasets.import_sources(project, [Source("a.conll", CONLL)], Split.POOL)
    return workbench.projects.get("news")
