"""``workbench log``: who did what."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from workbench.cli.base import JsonOption, app, emit, out, workbench
from workbench.services.auditwords import more


@app.command("log")
def log(
    name: Annotated[str | None, typer.Argument(help="Of this project only.")] = None,
    person: Annotated[str | None, typer.Option(help="Only what this person did.")] = None,
    action: Annotated[
        str | None, typer.Option(help="Only acts of this kind, such as export or user.role.")
    ] = None,
    limit: Annotated[int, typer.Option(help="The most to show.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """The audit log, newest first: administrative acts, imports, exports, promotions, sign-ins."""
    with workbench() as wb:
        if name is None:
            events = wb.audit_log.everywhere(person=person, action=action, limit=limit)
        else:
            events = wb.audit_log.of_project(wb.projects.get(name), person=person, action=action, limit=limit)

        def human() -> None:
            table = Table("when (UTC)", "who", "what", "of", "more")
            for event in events:
                who = event.user or "command line"
                table.add_row(
                    f"{event.at:%Y-%m-%d %H:%M:%S}",
                    escape(who),
                    event.action,
                    escape(event.subject),
                    escape(more(event)),
                )
            out.print(table if events else "Nothing is in the log.")

        emit(as_json, list(events), human)
