"""A model that stays loaded: it is asked again and again, dies, is started again, can't be loaded."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.export.conftest import Exports
from workbench.domain import ExampleText, Span, Spans
from workbench.errors import InvalidInput, ModelUnavailable
from workbench.services import standing
from workbench.services.standing import StandingModel

ANNA = ExampleText("anna visited rome", ((0, 4), (5, 12), (13, 17)))


def test_one_that_dies_is_started_by_the_next_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "LOOP", "tests.export.scriptedloop")
    (tmp_path / "workbench.json").write_text('{"task": "ner", "labels": ["PER"]}')
    model = StandingModel(tmp_path, "cpu")
    try:
        assert (model.task, model.labels) == ("ner", ("PER",))
        assert [one.payload for one in model.predict([ANNA, ANNA])] == [Spans((Span(0, 4, "PER"),))] * 2
        with pytest.raises(InvalidInput, match="too long"):
            model.predict([ExampleText("refuse", ((0, 6),))])
        assert model.alive, "an input that it can't read does not end it"
        with pytest.raises(ModelUnavailable, match="memory is full"):
            model.predict([ExampleText("die", ((0, 3),))])
        assert not model.alive
        assert len(model.predict([ANNA])) == 1 and model.alive
    finally:
        model.close()
    assert not model.alive
    with pytest.raises(ModelUnavailable, match="weights"):
        StandingModel(tmp_path, "broken")
    with pytest.raises(ModelUnavailable, match="no model"):
        StandingModel(tmp_path / "nowhere", "cpu")


@pytest.mark.proof
def test_a_real_one_is_started_again(exports: Exports) -> None:
    model = StandingModel(exports["ner"].folder, "cpu")
    try:
        (first,) = model.predict([ANNA])
        os.kill(model._process.pid, signal.SIGKILL)
        model._process.wait(10)
        assert not model.alive
        assert model.predict([ANNA]) == [first]
    finally:
        model.close()
