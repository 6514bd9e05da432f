"""Sign-in with OpenID Connect, against a provider on loopback: who comes in, who does not, and what they are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.conftest import free_port
from tests.web.provider import CLIENT, SECRET, StandIn, standing_in
from workbench.config import Settings
from workbench.domain import Role
from workbench.errors import InvalidInput, Unavailable
from workbench.services import Workbench
from workbench.services.openid import OpenIdSignIn
from workbench.services.provider import Provider
from workbench.storage.tables import pending_sign_ins
from workbench.web.gate import USER
from workbench.web.paths import COOKIE
from workbench.web.routes import middleware, routes
from workbench.web.shared import shared_workbench

PUBLIC = "http://localhost"
STRANGER = "10.0.0.5"


@pytest.fixture(scope="module")
def standing() -> Iterator[StandIn]:
    with standing_in() as provider:
        yield provider


@pytest.fixture
def provider(standing: StandIn) -> StandIn:
    standing.reset()
    return standing


@pytest.fixture
def served(settings: Settings, provider: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """The workbench that the routes use: otto is an annotator."""
    for name, value in {
        "HOME": str(settings.home),
        "DATABASE_URL": settings.database_url or settings.url,
        "PUBLIC_URL": PUBLIC,
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_NAME": "The <Firm>",
    }.items():
        monkeypatch.setenv(f"WORKBENCH_{name}", value)
    workbench = shared_workbench()
    workbench.team.add_user("otto", "annotator", None)
    yield workbench
    workbench.close()


def browser() -> TestClient:
    """A browser's cookies, before the gate and the routes as Home.py serves them; ``/`` says who one is."""

    async def home(request: Request) -> Response:
        return PlainTextResponse(request.scope[USER].name)

    app = Starlette(routes=[*routes(), Route("/", home), Route("/Label", home)], middleware=middleware())
    return TestClient(app, PUBLIC, client=(STRANGER, 1), follow_redirects=False)


def way_back(client: TestClient, target: str = "/") -> str:
    """Go to the provider; the path that it sends back to."""
    there = client.get("/sign-in/openid", params={"next": target})
    assert there.status_code == 303, there.text
    back = requests.get(there.headers["location"], allow_redirects=False, timeout=20)
    assert back.status_code == 302, back.text
    address = back.headers["location"]
    assert address.startswith(f"{PUBLIC}/sign-in/openid/answer?")
    return address.removeprefix(PUBLIC)


def test_in_by_the_button_and_out_again(served: Workbench) -> None:
    client = browser()
    form = client.get("/sign-in", params={"next": "/Label?project=news"})
    assert "Sign in with The &lt;Firm&gt;" in form.text
    assert 'href="/sign-in/openid?next=%2FLabel%3Fproject%3Dnews"' in form.text
    answer = client.get(way_back(client, "/Label?project=news"))
    assert answer.status_code == 303 and answer.headers["location"] == "/Label?project=news"
    assert (
        "HttpOnly" in answer.headers["set-cookie"] and "samesite=lax" in answer.headers["set-cookie"].lower()
    )
    assert client.get("/").text == "otto"
    stolen = client.cookies[COOKIE]
    assert client.post("/sign-out", headers={"Origin": PUBLIC}).status_code == 303
    thief = browser()
    thief.cookies.set(COOKIE, stolen)
    assert thief.get("/").status_code == 401
    assert [event.action for event in served.audit_log.everywhere(limit=9)][:3] == [
        "sign-out",
        "sign-in",
        "user.link",
    ]


def test_the_request_says_what_it_must(served: Workbench) -> None:
    client = browser()
    response = client.get("/sign-in/openid", headers={"Host": "evil.example"})
    asked = {
        name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()
    }
    assert asked["redirect_uri"] == f"{PUBLIC}/sign-in/openid/answer"
    assert len(asked["state"]) >= 43 and len(asked["nonce"]) >= 43 and asked["state"] != asked["nonce"]
    with served.store.read() as tx:
        row = tx.connection.execute(pending_sign_ins.select()).one()
    assert asked["state"] not in str(row) and row.verifier not in response.headers["location"]


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1"]
)
def test_nobody_is_sent_elsewhere(served: Workbench, target: str) -> None:
    client = browser()
    assert client.get(way_back(client, target)).headers["location"] == "/"


def test_an_answer_counts_once_and_in_its_own_browser(served: Workbench) -> None:
    client, other = browser(), browser()
    address = way_back(client)
    assert other.get(address).status_code == 403
    other.cookies.set("workbench_sign_in", "x" * 43)
    assert other.get(address).status_code == 403
    state = client.cookies["workbench_sign_in"]
    assert client.get(address).status_code == 303
    replaying = browser()
    replaying.cookies.set("workbench_sign_in", state)
    replayed = replaying.get(address)
    assert replayed.status_code == 403 and "Begin again" in replayed.text and COOKIE not in replaying.cookies


def test_a_sign_in_that_took_too_long_is_over(served: Workbench) -> None:
    from workbench.storage.rows import now

    client = browser()
    address = way_back(client)
    with served.store.write() as tx:
        tx.connection.execute(pending_sign_ins.update().values(expires_at=now()))
    assert client.get(address).status_code == 403


FORGED = {
    "another key": {"signed_with": RSAKey.generate_key(2048, parameters={"kid": "one"})},
    "the client's secret as key": {"algorithm": "HS256", "signed_with": OctKey.import_key(SECRET.ljust(32))},
    "another audience": {"claims": {"aud": "another"}},
    "two audiences, given to the other": {"claims": {"aud": [CLIENT, "another"], "azp": "another"}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "expired": {"claims": {"exp": 1_600_000_000}},
    "not yet": {"claims": {"nbf": 4_000_000_000}},
    "another nonce": {"claims": {"nonce": "x"}},
    "no nonce": {"claims": {"nonce": None}},
    "no subject": {"claims": {"sub": None}},
    "no name": {"claims": {"preferred_username": None}},
    "refused": {"broken": {"token"}},
    "no consent": {"broken": {"consent"}},
}


def test_what_does_not_hold_opens_nothing(
    served: Workbench, provider: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    for case, changed in FORGED.items():
        provider.reset()
        caplog.clear()
        for name, value in changed.items():
            setattr(provider, name, value)
        client = browser()
        answer = client.get(way_back(client))
        assert (answer.status_code, COOKIE in client.cookies) == (403, False), case
        assert "Back to sign-in" in answer.text and "<script" not in answer.text, case
        lines = [record for record in caplog.records if record.name == "workbench.sign_in"]
        assert len(lines) == 1 and "\n" not in lines[0].getMessage() and not lines[0].exc_info, case


def test_a_provider_that_is_down_is_a_plain_page(
    served: Workbench, provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.broken = {"discovery"}
    answer = browser().get("/sign-in/openid")
    assert answer.status_code == 503 and "Try again in a minute" in answer.text
    settings = served.settings.model_copy(update={"oidc_issuer": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(Unavailable):
        OpenIdSignIn(served.store, settings, str).depart("/")


def test_whom_only_the_provider_knows(
    served: Workbench, provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.claims = {"sub": "subject-2", "preferred_username": "Zoë <b>"}
    client = browser()
    page = client.get(way_back(client))
    assert page.status_code == 403 and "Zoë &lt;b&gt;" in page.text and "workbench user add" in page.text
    assert [user.name for user in served.team.list_users()] == ["otto"]

    settings = served.settings.model_copy(update={"oidc_new_role": "reviewer"})
    monkeypatch.setattr(served.team, "openid", OpenIdSignIn(served.store, settings, lambda: "unknown"))
    assert client.get(way_back(client)).status_code == 303
    added = next(user for user in served.team.list_users() if user.name == "Zoë <b>")
    assert added.role is Role.REVIEWER and client.get("/").text == "Zoë <b>"
    provider.claims = {"sub": "subject-3", "preferred_username": "solo"}
    assert client.get(way_back(client)).status_code == 403


def test_an_account_stays_whose_it_is(served: Workbench, provider: StandIn) -> None:
    client = browser()
    assert client.get(way_back(client)).status_code == 303
    provider.claims = {"preferred_username": "renamed"}
    assert client.get(way_back(client)).status_code == 303 and client.get("/").text == "otto"
    provider.claims = {"sub": "another subject"}
    impostor = browser()
    assert impostor.get(way_back(impostor)).status_code == 403 and COOKIE not in impostor.cookies
    served.team.unlink("otto")
    assert impostor.get(way_back(impostor)).status_code == 303
    served.team.add_user("anna", "admin", None)
    served.members.retire("otto")
    assert impostor.get(way_back(impostor)).status_code == 403


def test_an_address_that_nobody_checked_is_no_name(
    served: Workbench, provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = served.settings.model_copy(update={"oidc_claim": "email"})
    monkeypatch.setattr(served.team, "openid", OpenIdSignIn(served.store, settings, str))
    served.team.add_user("eva@example.org", "annotator", None)
    client = browser()
    for verified, status in ((None, 403), ("true", 403), (True, 303)):
        provider.claims = {"email": "eva@example.org", "email_verified": verified}
        assert client.get(way_back(client)).status_code == status


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"oidc_issuer": "http://login.example.org"}, "WORKBENCH_OIDC_ISSUER"),
        ({"public_url": None}, "WORKBENCH_PUBLIC_URL"),
        ({"public_url": "http://labels.example.org"}, "https://"),
        ({"oidc_client_id": None}, "WORKBENCH_OIDC_CLIENT_ID"),
        ({"oidc_scopes": "profile"}, "WORKBENCH_OIDC_SCOPES"),
        ({"document": {"issuer": "https://other.example"}}, "other.example"),
        ({"document": {"token_endpoint": "http://other.example/token"}}, "token_endpoint"),
        ({"document": {"id_token_signing_alg_values_supported": ["none"]}}, "signs in no way"),
    ],
)
def test_what_is_set_wrong_is_said(provider: StandIn, changed: dict[str, Any], said: str) -> None:
    right = {"public_url": PUBLIC, "oidc_issuer": provider.issuer, "oidc_client_id": CLIENT}
    Provider(Settings(**right)).discover()
    provider.document = changed.pop("document", {})
    with pytest.raises(InvalidInput) as caught:
        Provider(Settings(**right | changed)).discover()
    assert said in str(caught.value)


def test_the_doctor_asks_the_provider(served: Workbench, provider: StandIn) -> None:
    checks = {check.name: check for check in served.maintenance.doctor()}
    assert checks["sign-in"].ok and f"{PUBLIC}/sign-in/openid/answer" in checks["sign-in"].detail
    provider.broken = {"discovery"}
    checks = {check.name: check for check in served.maintenance.doctor()}
    assert not checks["sign-in"].ok and provider.issuer in checks["sign-in"].detail


def test_without_a_provider_there_is_no_such_page(served: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = served.settings.model_copy(update={"oidc_issuer": None})
    monkeypatch.setattr(served.team, "openid", OpenIdSignIn(served.store, settings, str))
    client = browser()
    assert "Sign in with" not in client.get("/sign-in").text
    assert client.get("/sign-in/openid").status_code == 404
    assert client.get("/sign-in/openid/answer").status_code == 404
