"""Services authorise: who may call what, in whose name, in which project."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import Any

import pytest

from tests.labeling.corpus import make_project
from workbench.domain import Project, Role, Split, User
from workbench.errors import Forbidden, InvalidInput, NotFound, WrongState
from workbench.services import Workbench
from workbench.services.access import RULES, as_person, seen_by
from workbench.services.annotation import Submission

PASSWORD = "correct horse battery"
CONLL = "EU NNP B-ORG\nrejects VBZ O\n\nParis NNP B-LOC\n"


def person(workbench: Workbench, name: str, role: Role) -> User:
    """Somebody with an account, without the cost of a password."""
    with workbench.store.write() as tx:
        return tx.users.add(name, role, password_hash="$argon2id$none")


@pytest.fixture
def people(workbench: Workbench) -> dict[Role, User]:
    return {role: person(workbench, role.value, role) for role in Role}


def filled(workbench: Workbench, name: str = "news") -> Project:
    project = workbench.projects.create(name, "ner")
    sources = workbench.datasets.uploaded("a.conll", CONLL.encode())
    workbench.datasets.import_sources(project, sources, Split.POOL)
    return workbench.projects.get(name)


def service_names() -> list[str]:
    return [name for name, kind in vars(Workbench).items() if isinstance(kind, cached_property)]


def test_every_method_of_every_service_has_a_rule(workbench: Workbench) -> None:
    assert sorted(RULES) == sorted(service_names())
    for name, rules in RULES.items():
        if name == "team":
            continue  # signing in comes before there is anybody to ask about
        kind = type(getattr(workbench, name))
        public = {each for each, _ in inspect.getmembers(kind, inspect.isfunction) if each[0] != "_"}
        assert public == set(rules), name


def test_a_role_that_does_not_reach_is_refused_everywhere(
    workbench: Workbench, people: dict[Role, User]
) -> None:
    project = filled(workbench)
    for role, user in people.items():
        seen = seen_by(workbench, lambda user=user: user)  # type: ignore[misc]
        for name, rules in RULES.items():
            for method, least in rules.items():
                if role.rank < least.rank:
                    with pytest.raises(Forbidden, match="and this takes"):
                        getattr(getattr(seen, name), method)(**_arguments(workbench, name, method, project))


def _arguments(workbench: Workbench, name: str, method: str, project: Project) -> dict[str, Any]:
    """Something for each parameter that has to be given: the call is refused before any of it is looked at."""
    parameters = inspect.signature(getattr(getattr(workbench, name), method)).parameters
    needed = [
        each
        for each, one in parameters.items()
        if one.default is one.empty and one.kind is not one.VAR_KEYWORD
    ]
    values = {"project": project, "project_id": project.id}
    return {each: values.get(each) for each in needed}


def test_nobody_calls_anything(workbench: Workbench) -> None:
    def nobody() -> User:
        raise Forbidden("your session is over")

    seen = seen_by(workbench, nobody)
    for call in (seen.projects.list, seen.runs.list, seen.maintenance.doctor):
        with pytest.raises(Forbidden, match="session is over"):
            call()


def test_what_has_no_rule_is_not_there(workbench: Workbench, people: dict[Role, User]) -> None:
    seen = seen_by(workbench, lambda: people[Role.ADMIN])
    with pytest.raises(AttributeError):
        _ = seen.store
    with pytest.raises(Forbidden):
        seen.team.sign_in("a", "b", None)


def test_nobody_acts_in_somebody_elses_name(workbench: Workbench, people: dict[Role, User]) -> None:
    project = filled(workbench)
    annotator, admin = people[Role.ANNOTATOR], people[Role.ADMIN]
    seen = seen_by(workbench, lambda: admin)
    example = workbench.datasets.browse(project).items[0]
    answer = Submission(example.id, "c1", payload={"spans": []})
    with pytest.raises(Forbidden, match="somebody else's name"):
        seen.annotation.submit(project, annotator, [answer])
    assert workbench.annotation.history(project, example.id)[-1].client_id != "c1"
    assert seen.annotation.submit(project, admin, [answer])[0].stored


def test_who_calls_is_written_down_without_being_asked(
    workbench: Workbench, people: dict[Role, User]
) -> None:
    seen = seen_by(workbench, lambda: people[Role.ADMIN])
    seen.members.set_role("annotator", "reviewer")
    with workbench.store.read() as tx:
        event = tx.users.audit_log(limit=1)[0]
    assert (event.action, event.user, event.subject) == ("user.role", "admin", "annotator")
    assert event.data == {"from": "annotator", "to": "reviewer"}


def test_roles_in_one_project(workbench: Workbench, people: dict[Role, User]) -> None:
    news, other = filled(workbench, "news"), filled(workbench, "other")
    user = people[Role.ANNOTATOR]
    seen = seen_by(workbench, lambda: user)
    workbench.members.set_project_role(news, "annotator", Role.LEAD)
    workbench.members.set_project_role(other, "annotator", "none")
    assert seen.labelsets.uses(news) == {"ORG": 1, "LOC": 1}
    assert [project.name for project in seen.projects.list()] == ["news"]
    with pytest.raises(NotFound) as error:
        seen.projects.get("other")
    assert "news" not in str(error.value)
    for call in (seen.datasets.counts, seen.labelsets.uses, seen.selection.batches):
        with pytest.raises(NotFound):
            call(other)
    with pytest.raises(NotFound):
        seen.importing.of(other.id)
    with pytest.raises(Forbidden):
        seen.projects.create("mine", "ner")
    roles = {member.user.name: (member.role, member.own) for member in workbench.members.roles(news)}
    assert roles["annotator"] == (Role.LEAD, True) and roles["reviewer"] == (Role.REVIEWER, False)
    workbench.members.set_project_role(news, "annotator", None)
    with pytest.raises(Forbidden, match="an annotator in this project, and this takes a lead"):
        seen.labelsets.uses(news)


def test_who_leaves_a_project_holds_what_they_held_in_others(
    workbench: Workbench, people: dict[Role, User]
) -> None:
    user = people[Role.ANNOTATOR]
    (left, _), (other, ids) = (make_project(workbench, name=name) for name in ("left", "other"))
    for project in (left, other):
        assert len(workbench.annotation.queue(project, user, limit=2).items) == 2
    workbench.members.set_project_role(left, "annotator", "none")
    with workbench.store.read() as tx:
        assert sorted(tx.batches.held(user.id)) == ids[:2]


def test_an_admin_is_one_everywhere(workbench: Workbench, people: dict[Role, User]) -> None:
    project = filled(workbench)
    with pytest.raises(InvalidInput, match="is an admin"):
        workbench.members.set_project_role(project, "admin", "none")
    with pytest.raises(InvalidInput, match="nobody can be"):
        workbench.members.set_project_role(project, "lead", "admin")
    workbench.members.set_project_role(project, "lead", "none")
    workbench.members.set_role("lead", "admin")
    with workbench.store.read() as tx:
        lead = tx.users.by_id(people[Role.LEAD].id)
    assert seen_by(workbench, lambda: lead).projects.get("news") == project


def test_the_last_admin_stays(workbench: Workbench, people: dict[Role, User]) -> None:
    for call in (
        lambda: workbench.members.retire("admin"),
        lambda: workbench.members.set_role("admin", "lead"),
    ):
        with pytest.raises(WrongState, match="last admin"):
            call()
    workbench.members.set_role("lead", "admin")
    assert not workbench.members.retire("admin").active
    with pytest.raises(WrongState):
        workbench.members.retire("lead")
    assert not workbench.team.solo()


def test_who_is_retired_is_out_at_once_and_their_work_stays(workbench: Workbench) -> None:
    workbench.team.add_user("boss", "admin", PASSWORD)
    user = workbench.team.add_user("otto", "annotator", PASSWORD)
    project = filled(workbench)
    token = workbench.team.sign_in("otto", PASSWORD, None).token
    items = workbench.annotation.queue(project, user).items
    example = workbench.datasets.browse(project).items[0]
    workbench.annotation.submit(project, user, [Submission(example.id, "c1", payload={"spans": []})])
    workbench.members.retire("otto")
    assert workbench.team.user_for_token(token) is None
    with pytest.raises(Forbidden):
        workbench.team.sign_in("otto", PASSWORD, None)
    with workbench.store.read() as tx:
        assert tx.batches.held(user.id) == []
    assert workbench.annotation.history(project, example.id)[-1].author == "otto"
    assert items == ()  # all of it is labeled by the file
    workbench.members.bring_back("otto")
    assert workbench.team.user_for_token(token) is None
    assert workbench.team.sign_in("otto", PASSWORD, None)


def test_work_that_goes_on_in_a_thread_is_one_persons(workbench: Workbench, people: dict[Role, User]) -> None:
    project = filled(workbench)
    seen = as_person(seen_by(workbench, lambda: people[Role.ADMIN]), people[Role.ANNOTATOR])
    with pytest.raises(Forbidden):
        seen.datasets.import_sources(project, [], Split.POOL)
