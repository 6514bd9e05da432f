"""At a terminal a command asks before what can't be undone; in a script nobody is there to be asked."""

from __future__ import annotations

import io
import sys

import pytest
import typer

from workbench.cli.base import confirm


class Keyboard(io.StringIO):
    """Standard input with somebody at it, or nobody."""

    somebody = True

    def isatty(self) -> bool:
        return self.somebody


@pytest.mark.parametrize(
    ("somebody", "yes", "asked"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_a_question_is_asked_where_somebody_sits(
    somebody: bool,
    yes: bool,
    asked: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keyboard = Keyboard("n\n")
    keyboard.somebody = somebody
    monkeypatch.setattr(sys, "stdin", keyboard)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: somebody, raising=False)
    if asked:
        with pytest.raises(typer.Abort):
            confirm("Do it?", yes)
        monkeypatch.setattr(sys, "stdin", Keyboard("y\n"))
    confirm("Do it?", yes)
    assert ("Do it?" in capsys.readouterr().err) == asked
