"""``workbench labels …``: change a label set, its annotations with it, and undo that."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from workbench.cli.base import JsonOption, app, emit, out, plain, workbench
from workbench.errors import FormatError, InvalidInput
from workbench.services import labelchanges as changes
from workbench.services.labelchanges import LabelChange
from workbench.services.labelsets import Changed

labels = typer.Typer(
    help="Change a label set: every annotation follows, in one step that can be undone.", no_args_is_help=True
)
app.add_typer(labels, name="labels")

Name = Annotated[str, typer.Argument(help="The project.")]
LabelName = Annotated[str, typer.Argument(metavar="LABEL", help="A label of its set.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, change nothing.")]


@labels.command("list")
def list_labels(name: Name, as_json: JsonOption = False) -> None:
    """The label set: colours, keys, and how often the accepted annotations use each label."""
    with workbench() as wb:
        project = wb.projects.get(name)
        uses = wb.labelsets.uses(project)

    def human() -> None:
        table = Table("label", Column("uses", justify="right"), "key", "colour", "state", "description")
        for label in project.labels:
            state = "retired" if label.retired else ""
            table.add_row(
                label.name, f"{uses[label.name]:,}", label.key or "", label.color, state, label.description
            )
        out.print(table if project.labels else f"{name} has no labels yet.")

    emit(as_json, [{**plain(label), "uses": uses[label.name]} for label in project.labels], human)


@labels.command("add")
def add(
    name: Name,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="The new label.")],
    color: Annotated[str | None, typer.Option(help="As #rrggbb; by default the next free one.")] = None,
    description: Annotated[str, typer.Option(help="What it means, for whoever labels.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Add a label."""
    _change(name, changes.add(label, color=color, description=description), False, as_json)


@labels.command("rename")
def rename(
    name: Name,
    label: LabelName,
    new: Annotated[str, typer.Argument(help="Its new name.")],
    dry_run: DryRun = False,
    as_json: JsonOption = False,
) -> None:
    """Give a label another name, in every annotation."""
    _change(name, changes.rename(label, new), dry_run, as_json)


@labels.command("merge")
def merge(
    name: Name,
    old: Annotated[list[str], typer.Argument(metavar="LABEL…", help="The labels that become one.")],
    into: Annotated[str, typer.Option(help="That one: one of them, another one, or a new one.")],
    dry_run: DryRun = False,
    as_json: JsonOption = False,
) -> None:
    """Make several labels one."""
    _change(name, changes.merge(old, into), dry_run, as_json)


@labels.command("split")
def split(
    name: Name,
    label: LabelName,
    move: Annotated[
        list[str] | None, typer.Option(help="WORDS=LABEL: where it stands on these words, it becomes that.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="The same from a CSV file of two columns: words, label.")
    ] = None,
    rest: Annotated[
        str | None,
        typer.Option(help="What becomes of all others: a label, or the label itself to leave them."),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Put all others into a batch, to be decided again one by one.")
    ] = False,
    dry_run: DryRun = False,
    as_json: JsonOption = False,
) -> None:
    """Make one label several, by the words that it stands on."""
    if ask == (rest is not None):
        raise InvalidInput(
            "it is not said what becomes of all other words", remedy="say --rest LABEL or --ask"
        )
    surfaces = dict(_rule(item) for item in move or ()) | _read_rules(rules)
    _change(name, changes.split(label, surfaces, rest), dry_run, as_json)


@labels.command("recolour")
def recolour(
    name: Name,
    label: LabelName,
    color: Annotated[str, typer.Argument(help="As #rrggbb.")],
    as_json: JsonOption = False,
) -> None:
    """Give a label another colour."""
    _change(name, changes.recolour(label, color), False, as_json)


@labels.command("describe")
def describe(
    name: Name,
    label: LabelName,
    description: Annotated[str, typer.Argument(help="What it means, for whoever labels.")],
    as_json: JsonOption = False,
) -> None:
    """Say what a label means."""
    _change(name, changes.describe(label, description), False, as_json)


@labels.command("retire")
def retire(name: Name, label: LabelName, as_json: JsonOption = False) -> None:
    """Offer a label no longer; annotations that have it keep it."""
    _change(name, changes.retire(label), False, as_json)


@labels.command("restore")
def restore(name: Name, label: LabelName, as_json: JsonOption = False) -> None:
    """Offer a retired label again."""
    _change(name, changes.restore(label), False, as_json)


@labels.command("history")
def history(name: Name, as_json: JsonOption = False) -> None:
    """Every change of the label set, oldest first."""
    with workbench() as wb:
        found = wb.labelsets.history(wb.projects.get(name))

    def human() -> None:
        table = Table("change", "when", "who", "what", Column("annotations", justify="right"), "")
        for record in found:
            table.add_row(
                str(record.number),
                f"{record.created_at:%Y-%m-%d %H:%M}",
                record.user or "",
                changes.sentence(record.kind, record.labels),
                f"{record.counts.get('annotations', 0):,}",
                "undone" if record.undone_at else "",
            )
        out.print(table if found else f"The label set of {name} has not been changed yet.")

    emit(as_json, found, human)


@labels.command("undo")
def undo(
    name: Name,
    number: Annotated[int | None, typer.Option("--change", help="Make sure that it is this one.")] = None,
    dry_run: DryRun = False,
    as_json: JsonOption = False,
) -> None:
    """Put back what stood before the newest change; what people have said since stays."""
    with workbench() as wb:
        project = wb.projects.get(name)
        done = wb.labelsets.undo_preview(project) if dry_run else wb.labelsets.undo(project, number=number)
    emit(as_json, done, lambda: _show(done, dry_run))


def _change(name: str, change: LabelChange, dry_run: bool, as_json: bool) -> None:
    with workbench() as wb:
        project = wb.projects.get(name)
        done = wb.labelsets.preview(project, change) if dry_run else wb.labelsets.apply(project, change)
    emit(as_json, done, lambda: _show(done, dry_run))


def _show(done: Changed, dry_run: bool) -> None:
    effect = done.effect
    out.print(f"{'Would do' if dry_run else 'Done'}: {done.sentence}.", markup=False)
    if effect.annotations or effect.kept:
        out.print(
            f"  {effect.annotations:,} annotations of {effect.examples:,} examples are written anew "
            f"({effect.gold:,} of them accepted)",
            markup=False,
        )
    if effect.undecided:
        where = f", in batch {done.batch}" if done.batch else ""
        out.print(f"  {effect.undecided:,} uses are to be decided again{where}", markup=False)
    if effect.kept:
        out.print(f"  {effect.kept:,} annotations were revised since and stay as they are", markup=False)
    if done.kept_labels:
        out.print(f"  still used and kept in the set: {', '.join(done.kept_labels)}", markup=False)


def _rule(item: str) -> tuple[str, str]:
    words, equals, label = item.rpartition("=")
    if not equals or not words.strip() or not label.strip():
        raise InvalidInput(f"{item!r} is no rule", remedy="write it as in --move 'Olympic Games=EVENT'")
    return words.strip(), label.strip()


def _read_rules(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows: Sequence[Sequence[str]] = [row for row in csv.reader(file) if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FormatError("can't be read as CSV", file=path.name, remedy="save it as UTF-8") from error
    for number, row in enumerate(rows, start=1):
        if len(row) != 2 or not all(map(str.strip, row)):
            raise FormatError(
                "is no rule", file=path.name, line=number, remedy="give two columns: words, label"
            )
    return {row[0].strip(): row[1].strip() for row in rows}
