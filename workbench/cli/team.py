"""``workbench user …``: accounts. Passwords are asked for or read from stdin, never given as an argument."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from workbench.cli.base import JsonOption, app, emit, out, workbench
from workbench.domain import User
from workbench.errors import InvalidInput

users = typer.Typer(help="Accounts of the people who share this workbench.", no_args_is_help=True)
app.add_typer(users, name="user")

SAME = "same"

NameArgument = Annotated[str, typer.Argument(help="The person's name.")]
StdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
]


@users.command("add")
def add(
    name: NameArgument,
    role: Annotated[str, typer.Option(help="annotator, reviewer, lead or admin.")] = "annotator",
    password_stdin: StdinOption = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They sign in by OpenID Connect.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make an account. The first one ends solo mode: from then on everybody signs in."""
    with workbench() as wb:
        first = wb.team.solo()
        user = wb.team.add_user(name, role, None if no_password else _password(password_stdin))

        def show() -> None:
            out.print(f"{user.name} can sign in as {user.role.value}.", markup=False)
            if first:
                out.print("This is the first account: from now on everybody signs in.")

        emit(as_json, _row(user), show)


@users.command("list")
def list_users(as_json: JsonOption = False) -> None:
    """Show the accounts."""
    with workbench() as wb:
        rows = [_row(user) for user in wb.team.list_users()]

        def show() -> None:
            for row in rows:
                out.print(
                    f"{row['name']}\t{row['role']}" + ("" if row["active"] else "\tretired"), markup=False
                )
            if not rows:
                out.print("No accounts: solo mode, for this machine alone.")

        emit(as_json, rows, show)


@users.command("reset-password")
def reset_password(
    name: NameArgument, password_stdin: StdinOption = False, as_json: JsonOption = False
) -> None:
    """Give a person a new password; every session of theirs ends."""
    with workbench() as wb:
        user = wb.team.reset_password(name, _password(password_stdin))
        emit(as_json, _row(user), lambda: out.print(f"{user.name} has a new password.", markup=False))


@users.command("unlink")
def unlink(name: NameArgument, as_json: JsonOption = False) -> None:
    """Forget who a person is at the OpenID Connect provider; who signs in there by that name next is taken for them."""
    with workbench() as wb:
        user = wb.team.unlink(name)
        emit(as_json, _row(user), lambda: out.print(f"{user.name} is linked to nobody.", markup=False))


@users.command("set-role")
def set_role(
    name: NameArgument,
    role: Annotated[
        str, typer.Argument(help="annotator, reviewer, lead or admin; in a project also none or same.")
    ],
    project: Annotated[str | None, typer.Option(help="In this project only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a person may do: everywhere, or in one project.

    In a project "none" hides it from them, and "same" takes what the project says of them back.
    """
    with workbench() as wb:
        if project is None:
            user = wb.members.set_role(name, role)
            emit(
                as_json, _row(user), lambda: out.print(f"{user.name} is now {user.role.value}.", markup=False)
            )
            return
        found = wb.projects.get(project)
        here = wb.members.set_project_role(found, name, None if role == SAME else role)
        known = here.role.value if here.role else "none"
        emit(
            as_json,
            {**_row(here.user), "project": found.name, "project_role": known},
            lambda: out.print(f"{here.user.name} in {found.name}: {known}.", markup=False),
        )


@users.command("retire")
def retire(name: NameArgument, as_json: JsonOption = False) -> None:
    """Let a person sign in no more. What they did stays, under their name."""
    with workbench() as wb:
        user = wb.members.retire(name)
        emit(as_json, _row(user), lambda: out.print(f"{user.name} can't sign in any more.", markup=False))


@users.command("bring-back")
def bring_back(name: NameArgument, as_json: JsonOption = False) -> None:
    """Let a retired person sign in again."""
    with workbench() as wb:
        user = wb.members.bring_back(name)
        emit(as_json, _row(user), lambda: out.print(f"{user.name} can sign in again.", markup=False))


def _password(from_stdin: bool) -> str:
    if from_stdin:
        line = sys.stdin.readline()
        if not line:
            raise InvalidInput("stdin holds no password", remedy="write it into the first line")
        return line.rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidInput("there is no terminal to ask for the password", remedy="use --password-stdin")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _row(user: User) -> dict[str, object]:
    return {"name": user.name, "role": user.role.value, "active": user.active}
