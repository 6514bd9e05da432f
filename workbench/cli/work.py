"""``workbench work …``: a person's work withdrawn, or what they hold given to others; undone in one step."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from workbench.cli.base import JsonOption, app, emit, err, out, workbench
from workbench.domain import WorkChange
from workbench.errors import InvalidInput

works = typer.Typer(
    help="Withdraw a person's work, or give what they hold to others; undo it.", no_args_is_help=True
)
app.add_typer(works, name="work")

NameArgument = Annotated[str, typer.Argument(help="The project's name.")]
PersonArgument = Annotated[str, typer.Argument(help="The annotator's name.")]
NumberArgument = Annotated[int, typer.Argument(help="The change's number, as `work history` gives it.")]
BatchOption = Annotated[int | None, typer.Option(help="Only what belongs to the batch of this number.")]
NoteOption = Annotated[str, typer.Option(help="Why; kept with it.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


@works.command("withdraw")
def withdraw(
    name: NameArgument,
    person: PersonArgument,
    batch: BatchOption = None,
    since: Annotated[
        str | None, typer.Option(help="Only what they labeled since this day or moment (UTC), as 2026-01-31.")
    ] = None,
    decided: Annotated[
        bool, typer.Option("--decided", help="Also labels of theirs that a reviewer has decided on.")
    ] = False,
    note: NoteOption = "",
    dry_run: DryOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a person's annotations count no more; the examples are labeled again.

    Nothing is deleted: their versions stay in the history, and `work undo` puts everything back as it was.
    """
    with workbench() as wb:
        project = wb.projects.get(name)
        moment = _moment(since)
        found = wb.work_changes.withdraw_preview(project, person, batch=batch, since=moment, decided=decided)
        lines = [
            f"{found.examples:,} annotations by {found.person} ({found.accepted:,} with labels, "
            f"{found.skipped:,} skipped, {found.flagged:,} flagged); {found.gold:,} count now as gold.",
        ]
        if found.decided and not decided:
            lines.append(f"{found.decided:,} that a reviewer has decided on go on counting.")
        if found.versions:
            lines.append(f"Model versions {', '.join(map(str, found.versions))} learned from some and stay.")
        if dry_run:
            emit(as_json, found, lambda: _show(lines))
            return
        _confirm(lines, "Withdraw them?", yes)
        change = wb.work_changes.withdraw(
            project, person, batch=batch, since=moment, decided=decided, note=note
        )
        emit(
            as_json,
            _row(change),
            lambda: out.print(
                f"Change {change.number}: {change.effect['annotations']:,} annotations are withdrawn.",
                markup=False,
            ),
        )


@works.command("reassign")
def reassign(
    name: NameArgument,
    person: PersonArgument,
    to: Annotated[str | None, typer.Option(help="Who gets it; without it, whoever asks next.")] = None,
    batch: BatchOption = None,
    hours: Annotated[float, typer.Option(help="How long it stays the other's.")] = 24.0,
    note: NoteOption = "",
    dry_run: DryOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Give what a person holds and has not labeled to somebody else, or back to everybody."""
    with workbench() as wb:
        project = wb.projects.get(name)
        found = wb.work_changes.reassign_preview(project, person, to=to, batch=batch)
        lines = [
            f"{found.held:,} examples that {found.person} holds: {found.given:,} to {found.to or 'nobody'}, "
        ]
        lines[0] += f"{found.held - found.given:,} to everybody."
        if dry_run:
            emit(as_json, found, lambda: _show(lines))
            return
        _confirm(lines, "Reassign them?", yes)
        change = wb.work_changes.reassign(project, person, to=to, batch=batch, hours=hours, note=note)
        emit(as_json, _row(change), lambda: out.print(f"Change {change.number}: reassigned.", markup=False))


@works.command("history")
def history(name: NameArgument, as_json: JsonOption = False) -> None:
    """What was withdrawn and reassigned in a project, the newest first."""
    with workbench() as wb:
        changes = wb.work_changes.history(wb.projects.get(name))

        def show() -> None:
            table = Table("number", "when (UTC)", "by", "what", "whose", "state", "why")
            for one in changes:
                table.add_row(
                    str(one.number),
                    f"{one.created_at:%Y-%m-%d %H:%M}",
                    one.by or "command line",
                    one.kind,
                    one.person,
                    one.state,
                    one.note,
                )
            out.print(table if changes else "Nothing was withdrawn or reassigned.")

        emit(as_json, [_row(one) for one in changes], show)


@works.command("undo")
def undo(
    name: NameArgument,
    number: NumberArgument,
    dry_run: DryOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put back what a change has taken; what has changed since is left, and counted."""
    with workbench() as wb:
        project = wb.projects.get(name)
        found = wb.work_changes.undo_preview(project, number)
        lines = [
            f"{found.back:,} come back; left as they are: {found.again:,} labeled again by the same person, "
            f"{found.others:,} by others or held, {found.unfit:,} that don't fit the label set."
        ]
        if dry_run:
            emit(as_json, asdict(found), lambda: _show(lines))
            return
        _confirm(lines, "Undo it?", yes)
        done = wb.work_changes.undo(project, number)
        emit(
            as_json,
            asdict(done),
            lambda: out.print(f"{done.back:,} are back, {done.left:,} left.", markup=False),
        )


@works.command("go-on")
def go_on(name: NameArgument, number: NumberArgument, as_json: JsonOption = False) -> None:
    """Finish a withdrawal, or its undoing, that was interrupted."""
    with workbench() as wb:
        change = wb.work_changes.go_on(wb.projects.get(name), number)
        emit(as_json, _row(change), lambda: out.print(f"Change {number} is {change.state}.", markup=False))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is no day", remedy="write it as 2026-01-31") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _confirm(lines: Sequence[str], question: str, yes: bool) -> None:
    if yes:
        return
    for line in lines:
        err.print(line, markup=False)
    if not sys.stdin.isatty():
        raise InvalidInput("there is no terminal to ask", remedy="add --yes, or look first with --dry-run")
    typer.confirm(question, abort=True, err=True)


def _show(lines: Sequence[str]) -> None:
    for line in lines:
        out.print(line, markup=False)


def _row(change: WorkChange) -> dict[str, object]:
    kept = ("batch", "since", "decided", "to", "hours")
    return {
        "number": change.number,
        "kind": change.kind,
        "person": change.person,
        "state": change.state,
        "scope": {name: change.scope[name] for name in kept if name in change.scope},
        "effect": change.effect,
        "undo_effect": change.undo_effect,
        "note": change.note,
        "by": change.by,
        "created_at": change.created_at,
        "undone_at": change.undone_at,
    }
