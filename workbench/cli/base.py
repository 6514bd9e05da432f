"""What every command shares: ``--json``, one error line, exit codes, the progress bar's place (stderr)."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from workbench.errors import InvalidInput
from workbench.formats import Notice
from workbench.services import Workbench, open_workbench

app = typer.Typer(
    name="workbench",
    help="Active learning for token classification and extractive question answering.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _group() -> None:
    # Without it Typer would take an application of one command for that command itself.
    pass


# What people call things is no markup: a label may be [PER] or :smile:, and [/x] would end in a traceback.
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)

SHOWN_WARNINGS = 20

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, nothing else.")]


@contextmanager
def workbench() -> Iterator[Workbench]:
    """The workbench of the environment's settings, closed at the end."""
    opened = open_workbench()
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around the writing of a file or folder: what the disk has against it, in one line. Raises InvalidInput."""
    try:
        yield
    except OSError as error:
        raise InvalidInput(
            f"{path} can't be written ({error.strerror or error})", remedy="choose another place"
        ) from error


YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; nobody is asked in a script.")]


def confirm(question: str, yes: bool) -> None:
    """Ask whoever sits at the terminal before what can't be undone; a script has meant it. Exits 1 on no."""
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm(question, abort=True, err=True)


def emit(as_json: bool, data: Any, human: Callable[[], None]) -> None:
    """Print a command's result: as one JSON document, or by ``human``."""
    if as_json:
        sys.stdout.write(json.dumps(data, default=plain, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    else:
        human()


def plain(value: Any) -> Any:
    """The JSON form of a value of the domain (one level; ``json`` asks again for what lies inside)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def show_notices(warnings: Sequence[Notice]) -> None:
    """The first warnings, each with its line, and how many more there are."""
    for notice in warnings[:SHOWN_WARNINGS]:
        place = f"line {notice.line}: " if notice.line is not None else ""
        out.print(f"  {notice.kind}: {place}{notice.message}", markup=False)
    if len(warnings) > SHOWN_WARNINGS:
        out.print(f"  and {len(warnings) - SHOWN_WARNINGS} more warnings (--json lists them)", markup=False)
