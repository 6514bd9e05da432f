"""Who may call what: every service method with the least role that it takes, checked at each call.

A page's own guard can't be enough: Streamlit runs callbacks before it and skips it when a part of a page is drawn
again. So pages never hold the services themselves but a workbench *as one person sees it*, which asks anew who that
is, and what their role in the project is, before each call. What is not in ``RULES`` nobody may call.

Three more things hold for such a call:

- An argument ``user``, ``user_id`` or ``by`` is the caller; it is filled in where it is left out and anybody else's
  is refused.
- Every project, run or version among the arguments is asked for a role, not only the first.
- A project that a person may not see is not there for them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from workbench.domain import Project, Role, User
from workbench.errors import Forbidden, NotFound
from workbench.services.workbench import Workbench
from workbench.storage.store import Store

ANNOTATOR, REVIEWER, LEAD, ADMIN = Role

RULES: Mapping[str, Mapping[str, Role]] = {
    "projects": {
        "list": ANNOTATOR,
        "get": ANNOTATOR,
        "overview": ANNOTATOR,
        "create": LEAD,
        "add_labels": LEAD,
        "update_label": LEAD,
        "assign_keys": LEAD,
        "set_guidelines": LEAD,
    },
    "tour": {"of": ANNOTATOR, "leave": ANNOTATOR, "resume": ANNOTATOR},
    "annotation": {
        "queue": ANNOTATOR,
        "item": ANNOTATOR,
        "around": ANNOTATOR,
        "recent": ANNOTATOR,
        "search": ANNOTATOR,
        "submit": ANNOTATOR,
        "ask": ANNOTATOR,
        "revise": ANNOTATOR,
        "history": REVIEWER,
        "decide": REVIEWER,
        "simulate": LEAD,
        "annotate_file": ADMIN,
    },
    "datasets": {
        "counts": ANNOTATOR,
        "browse": ANNOTATOR,
        "example": ANNOTATOR,
        "neighbours": ANNOTATOR,
        "document_names": ANNOTATOR,
        "imports": ANNOTATOR,
        "labels_of": REVIEWER,
        "annotators": REVIEWER,
        "overlap": LEAD,
        "uploaded": ANNOTATOR,
        "together": ANNOTATOR,
        "hub": LEAD,
        "preview": LEAD,
        "import_sources": LEAD,
        "export": LEAD,
        "sources": ADMIN,
        "import_files": ADMIN,
        "export_data": ADMIN,
    },
    "labelsets": {
        "uses": LEAD,
        "stamp": LEAD,
        "surfaces": LEAD,
        "history": LEAD,
        "preview": LEAD,
        "apply": LEAD,
        "undo_preview": LEAD,
        "undo": LEAD,
    },
    "importing": {"of": LEAD, "start": LEAD, "forget": LEAD},
    "splits": {"resplit": LEAD},
    "selection": {
        "batches": ANNOTATOR,
        "batch": ANNOTATOR,
        "strategies": LEAD,
        "preview": LEAD,
        "create": LEAD,
        "items": LEAD,
        "release": LEAD,
        "waiting": LEAD,
        "candidates": LEAD,
        "pool_stamp": LEAD,
        "coverage": LEAD,
        "embedded": LEAD,
        "scores": LEAD,
        "shown": LEAD,
    },
    "corrections": {"create": REVIEWER},
    "runs": {
        "get": REVIEWER,
        "list": REVIEWER,
        "events": REVIEWER,
        "logs": REVIEWER,
        "waits_for": REVIEWER,
        "quiet": REVIEWER,
        "cluster": LEAD,
        "wait": REVIEWER,
        "cancel": REVIEWER,
        "launch": LEAD,
        "resume": LEAD,
    },
    "training": {
        "launch": LEAD,
        "launch_seeds": LEAD,
        "again": LEAD,
        "seeds": REVIEWER,
        "snapshot": REVIEWER,
    },
    "scoring": {"launch": LEAD, "embed": LEAD},
    "evaluation": {
        "missing": REVIEWER,
        "evaluations": REVIEWER,
        "latest": REVIEWER,
        "gold_sets": REVIEWER,
        "labeled": REVIEWER,
        "launch": REVIEWER,
        "evaluate": REVIEWER,
    },
    "comparison": {"compare": REVIEWER, "analyse": REVIEWER, "look_into": REVIEWER, "seen": REVIEWER},
    "versions": {"table": REVIEWER},
    "models": {
        "list": REVIEWER,
        "get": REVIEWER,
        "best": REVIEWER,
        "resolve": REVIEWER,
        "evaluations": REVIEWER,
        "snapshot": REVIEWER,
        "artifact_path": LEAD,
        "promote": LEAD,
        "archive": LEAD,
        "set_note": LEAD,
    },
    "pruning": {"sizes": REVIEWER, "plan": LEAD, "prune": LEAD},
    "simulation": {"launch": LEAD, "report": LEAD, "list": LEAD, "cost": LEAD},
    "exporting": {
        "export_model": LEAD,
        "push": LEAD,
        # These take a folder, which models.artifact_path tells to nobody else.
        "stand": ANNOTATOR,
        "predict": ANNOTATOR,
        "predict_one": ANNOTATOR,
    },
    "downloads": {"publish": ANNOTATOR, "get": ANNOTATOR},
    "members": {
        "person": LEAD,
        "roles": LEAD,
        "people": LEAD,
        "set_role": ADMIN,
        "set_project_role": LEAD,
        "retire": ADMIN,
        "bring_back": ADMIN,
    },
    "sharing": {"set": LEAD, "progress": REVIEWER},
    "work_numbers": {"own": ANNOTATOR, "team": LEAD},
    "guidelines": {
        "versions": ANNOTATOR,
        "version": ANNOTATOR,
        "changes": ANNOTATOR,
        "unseen": ANNOTATOR,
        "see": ANNOTATOR,
        "write": LEAD,
        "restore": LEAD,
        "readers": LEAD,
        "example": LEAD,
    },
    "work_changes": {
        "history": LEAD,
        "authors": LEAD,
        "withdraw_preview": LEAD,
        "withdraw": LEAD,
        "go_on": LEAD,
        "reassign_preview": LEAD,
        "reassign": LEAD,
        "undo_preview": LEAD,
        "undo": LEAD,
    },
    "probes": {"set": LEAD, "supply": LEAD, "scores": LEAD, "answers": LEAD},
    "stop_sets": {"agreement": LEAD, "read": LEAD},
    "progress": {"report": LEAD},
    "suspects": {"launch": REVIEWER, "newest": REVIEWER, "shown": REVIEWER, "correct": REVIEWER},
    "audit_log": {"of_project": LEAD, "everywhere": ADMIN},
    "review": {
        "remarks_to": ANNOTATOR,
        "put_away": ANNOTATOR,
        "waiting": REVIEWER,
        "dossier": REVIEWER,
        "accept": REVIEWER,
        "rewrite": REVIEWER,
        "reopen": REVIEWER,
        "remark": REVIEWER,
    },
    "agreement": {"measure": REVIEWER},
    "team": {"add_user": ADMIN, "list_users": LEAD, "reset_password": ADMIN},
    "maintenance": {"backup": ADMIN, "doctor": ADMIN, "restore": ADMIN},
}
"""Service and method, and the least role that may call it: in the project where the call names one."""

CALLER = frozenset({"user", "user_id", "by"})
"""Parameters that stand for who calls."""

Who = Callable[[], User]


def seen_by(workbench: Workbench, who: Who) -> Workbench:
    """The workbench as a person sees it.

    Args:
        workbench: The services themselves.
        who: Says who calls, at each call; raises Forbidden where nobody does who may.
    """
    return cast(Workbench, _SeenBy(workbench, who))


def as_person(workbench: Workbench, user: User) -> Workbench:
    """The workbench as this one person sees it, for work that goes on where nobody can be asked (a thread).

    Args:
        workbench: The services, or what ``seen_by`` gave.
        user: Who has been let in; their role is asked for at each call all the same.
    """
    if isinstance(workbench, _SeenBy):
        workbench = object.__getattribute__(workbench, "_workbench")
    return seen_by(workbench, lambda: user)


class _SeenBy:
    """Stands for a ``Workbench``: its settings as they are, its services guarded, its database not at all."""

    def __init__(self, workbench: Workbench, who: Who) -> None:
        self._workbench = workbench
        self._who = who

    def __getattr__(self, name: str) -> Any:
        if name == "settings":
            return self._workbench.settings
        if name not in RULES:
            raise AttributeError(f"a page has no {name!r} of the workbench; services have rules in access.py")
        guarded = _Guarded(self._workbench, name, self._who)
        self.__dict__[name] = guarded
        return guarded


class _Guarded:
    """Stands for a service: each of its methods checks, then does what the service's does."""

    def __init__(self, workbench: Workbench, name: str, who: Who) -> None:
        self._workbench = workbench
        self._name = name
        self._who = who

    def __getattr__(self, method: str) -> Any:
        least = RULES[self._name].get(method)
        if least is None:
            raise Forbidden(f"nobody may call {self._name}.{method} from a page")
        bound = getattr(getattr(self._workbench, self._name), method)
        signature = inspect.signature(bound)

        def checked(*args: Any, **kwargs: Any) -> Any:
            user = self._who()
            call = signature.bind(*args, **kwargs)
            require_self(call.arguments, user)
            store = self._workbench.store
            require_role(store, user, least, _projects(store, call.arguments))
            for name in CALLER & set(signature.parameters):
                if call.arguments.get(name) is None:
                    call.arguments[name] = user.id if name == "user_id" else user
            return bound(*call.args, **call.kwargs)

        self.__dict__[method] = checked
        return checked


def require_self(arguments: Mapping[str, Any], user: User) -> None:
    """Raise Forbidden where an argument that stands for the caller is somebody else."""
    for name in CALLER & set(arguments):
        given = arguments[name]
        if given is not None and (given if name == "user_id" else given.id) != user.id:
            raise Forbidden("this was asked for in somebody else's name", remedy="reload the page")


def require_role(store: Store, user: User, least: Role, project_ids: Sequence[int] = ()) -> None:
    """Raise Forbidden unless the user's role, in each of the projects or where there is none at all, reaches ``least``.

    Raises:
        NotFound: The user may not see one of the projects.
    """
    for project_id in project_ids or (None,):
        role = role_in(store, user, project_id)
        if role is None:
            raise NotFound("there is no such project here", remedy="choose another one")
        if role.rank < least.rank:
            raise Forbidden(
                f"{user.name} is {article(role)}{' in this project' if project_id else ''}, "
                f"and this takes {article(least)}",
                remedy="ask an admin",
            )


def role_in(store: Store, user: User, project_id: int | None) -> Role | None:
    """What the user is in a project, None where they may not see it; without a project what they are at all."""
    if project_id is None or user.role is Role.ADMIN:
        return user.role
    with store.read() as tx:
        return tx.users.role_in(user, project_id)


def article(role: Role) -> str:
    """``an annotator``, ``a lead``."""
    return f"an {role.value}" if role.value[0] in "aeiou" else f"a {role.value}"


def _projects(store: Store, arguments: Mapping[str, Any]) -> list[int]:
    """Ids of the projects that a call is about."""
    found = dict.fromkeys(_named(arguments.values()))
    if arguments.get("project_id") is not None:
        found[int(arguments["project_id"])] = None
    if arguments.get("run_id") is not None:
        with store.read() as tx:
            found[tx.runs.get(int(arguments["run_id"])).project_id] = None
    return list(found)


def _named(values: Any) -> Iterator[int]:
    for value in values:
        if isinstance(value, Project):
            yield value.id
        elif isinstance(value, (list, tuple)):
            yield from _named(value)
        elif isinstance(getattr(value, "project_id", None), int):
            yield value.project_id
