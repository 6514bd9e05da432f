"""Accounts, throttling, sessions, roles and solo mode, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from workbench.domain import Role
from workbench.errors import AlreadyExists, Forbidden, InvalidInput, NotFound
from workbench.services import Workbench
from workbench.services.team import TRIES_OF_NAME, TRIES_OF_NAME_AND_ADDRESS, TeamService
from workbench.storage.tables import sessions, users

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 with small parameters: these tests are about what is counted and kept, not about its cost."""
    monkeypatch.setattr(
        "workbench.services.team.PasswordHasher", lambda: PasswordHasher(time_cost=1, memory_cost=64)
    )


def test_solo_mode_lasts_until_the_first_account(workbench: Workbench) -> None:
    team = workbench.team
    assert team.solo()
    user = team.solo_user()
    assert user.role is Role.ADMIN and team.solo_user() == user
    team.add_user("anna", Role.ANNOTATOR, PASSWORD)
    assert not team.solo()
    with pytest.raises(Forbidden):
        team.solo_user()
    with pytest.raises(Forbidden):
        team.sign_in("solo", "", "1.2.3.4")


def test_sessions(workbench: Workbench) -> None:
    team = workbench.team
    team.add_user("Zoë", "reviewer", PASSWORD)
    signed_in = team.sign_in("Zoe\u0308 ", PASSWORD, "1.2.3.4")
    assert team.user_for_token(signed_in.token) == signed_in.user
    assert signed_in.user.role is Role.REVIEWER
    for forged in (None, "", "x", signed_in.token[:-1], signed_in.token + "x", "x" * 10_000):
        assert team.user_for_token(forged) is None
    other = team.sign_in("Zoë", PASSWORD, "1.2.3.4")
    team.sign_out(signed_in.token)
    team.sign_out(signed_in.token)
    team.sign_out(None)
    assert team.user_for_token(signed_in.token) is None
    assert team.user_for_token(other.token) is not None
    team.reset_password("Zoë", "another password")
    assert team.user_for_token(other.token) is None
    with pytest.raises(Forbidden):
        team.sign_in("Zoë", PASSWORD, "1.2.3.4")
    assert team.sign_in("Zoë", "another password", "1.2.3.4")


def test_no_secret_is_stored(workbench: Workbench) -> None:
    workbench.team.add_user("anna", "admin", PASSWORD)
    token = workbench.team.sign_in("anna", PASSWORD, None).token
    with workbench.store.read() as tx:
        hashes = [row.password_hash for row in tx.connection.execute(users.select())]
        stored = [row.token_hash for row in tx.connection.execute(sessions.select())]
    assert next(value for value in hashes if value).startswith("$argon2id$")
    assert token not in stored and len(stored) == 1


def test_guessing_is_throttled_by_name_and_address(workbench: Workbench) -> None:
    team = workbench.team
    team.add_user("anna", "admin", PASSWORD)
    for _ in range(TRIES_OF_NAME_AND_ADDRESS):
        with pytest.raises(Forbidden, match="wrong"):
            team.sign_in("ANNA", "guess", "1.2.3.4")
    with pytest.raises(Forbidden, match="too many"):
        team.sign_in("anna", PASSWORD, "1.2.3.4")
    assert team.sign_in("anna", PASSWORD, "5.6.7.8")


@pytest.mark.parametrize("name", ["an\0na", "\0", "\ufb03" * 100])
def test_a_name_that_nobody_has_is_a_wrong_one_whatever_is_in_it(workbench: Workbench, name: str) -> None:
    workbench.team.add_user("otto", "admin", PASSWORD)
    with pytest.raises(Forbidden, match="wrong"):
        workbench.team.sign_in(name, PASSWORD, "1.2.3.4")


def test_the_addresses_of_one_network_count_as_one(workbench: Workbench) -> None:
    team = workbench.team
    team.add_user("anna", "admin", PASSWORD)
    for number in range(TRIES_OF_NAME_AND_ADDRESS):
        with pytest.raises(Forbidden, match="wrong"):
            team.sign_in("anna", "guess", f"2001:db8::{number}:1")
    with pytest.raises(Forbidden, match="too many"):
        team.sign_in("anna", PASSWORD, "2001:db8::9")
    assert team.sign_in("anna", PASSWORD, "2001:db8:0:1::9")
    assert team.sign_in("anna", PASSWORD, "::ffff:1.2.3.4") and team.sign_in("anna", PASSWORD, "testclient")


def test_what_succeeds_does_not_count(workbench: Workbench) -> None:
    workbench.team.add_user("anna", "admin", PASSWORD)
    for _ in range(TRIES_OF_NAME_AND_ADDRESS + 2):
        workbench.team.sign_in("anna", PASSWORD, "1.2.3.4")


def test_many_guesses_at_once_are_no_more_guesses(workbench: Workbench) -> None:
    team = workbench.team
    team.add_user("anna", "admin", PASSWORD)

    def guess(number: int) -> str:
        try:
            team.sign_in("anna", f"guess {number}", f"10.0.0.{number}")
        except Forbidden as error:
            return str(error)
        return "in"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(TRIES_OF_NAME + 10)))
    assert sum("wrong" in answer for answer in answers) <= TRIES_OF_NAME


@pytest.mark.parametrize("change", ["reset-password", "retire"])
def test_what_changes_while_a_password_is_looked_at_holds(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    team = workbench.team
    team.add_user("otto", "annotator", PASSWORD)
    verify = TeamService._verify

    def meanwhile(self: TeamService, stored: str | None, password: str) -> bool:
        if change == "retire":
            workbench.members.retire("otto")
        else:
            team.reset_password("otto", "another password")
        return verify(self, stored, password)

    monkeypatch.setattr(TeamService, "_verify", meanwhile)
    with pytest.raises(Forbidden, match="wrong"):
        team.sign_in("otto", PASSWORD, "1.2.3.4")
    with workbench.store.read() as tx:
        assert not tx.connection.execute(sessions.select()).all()


@pytest.mark.parametrize("name", ["", " ", "solo", "Import", "simulated", "a\nb", "x" * 101])
def test_names_that_can_not_be(workbench: Workbench, name: str) -> None:
    with pytest.raises(InvalidInput):
        workbench.team.add_user(name, "admin", PASSWORD)
    assert workbench.team.solo()


def test_accounts(workbench: Workbench) -> None:
    team = workbench.team
    team.add_user("anna", "admin", PASSWORD)
    with pytest.raises(AlreadyExists):
        team.add_user("anna", "admin", PASSWORD)
    with pytest.raises(InvalidInput, match="choose from|Choose from"):
        team.add_user("otto", "king", PASSWORD)
    for password in ("short", "x" * 1_001):
        with pytest.raises(InvalidInput):
            team.add_user("otto", "annotator", password)
        with pytest.raises(InvalidInput):
            team.reset_password("anna", password)
    with pytest.raises(NotFound):
        team.reset_password("otto", PASSWORD)
    assert [user.name for user in team.list_users()] == ["anna"]
