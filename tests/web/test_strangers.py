"""Nobody gets anything from a real server without a session: not a page, not the WebSocket, not a file."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.web.conftest import PASSWORD
from tests.web.server import Server
from workbench.errors import Forbidden
from workbench.services import Workbench
from workbench.services.team import TeamService, digest
from workbench.storage.rows import now
from workbench.web.downloads import download_address
from workbench.web.routes import middleware, routes
from workbench.web.signin import LOOKED_AT

PAGES = ("/", "/Data", "/Select", "/Label", "/Train", "/Compare", "/Export", "/nothing", "/Label?project=x")
REST = (
    "/media/0123.txt",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/script-health-check",
    "/_stcore/agent/openapi.json",
    "/_stcore/bidi-components/a/b.js",
    "/component/a/index.html",
    "/app/static/a",
    "/downloads/0123456789abcdef0123456789abcdef/a.zip",
    "/sign-in/",
    "/sign-in/../Data",
    "/static/../Data",
    "/static/..%2fData",
    "/static//Data",
    "//Data",
    "/health/x",
)
UPLOAD = "/_stcore/upload_file/session/file"


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_sign_in(team_server: Server, path: str) -> None:
    answer = team_server.ask("GET", path, Accept="text/html")
    assert answer.status == 303
    assert answer.headers["location"].startswith("/sign-in?next=%2F")
    assert answer.body == b""


@pytest.mark.parametrize("path", [*PAGES, *REST])
def test_a_stranger_reads_nothing(team_server: Server, path: str) -> None:
    for headers in ({}, {"Cookie": "workbench_session=forged"}, {"X_Workbench_Gate": "x"}):
        answer = team_server.ask("GET", path, **headers)
        assert answer.status in (401, 404), path
        assert b"<script" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_a_stranger_writes_nothing(team_server: Server, method: str) -> None:
    for path in (UPLOAD, "/", "/_stcore/agent/interact", "/_stcore/agent/mcp"):
        assert team_server.ask(method, path, body=b"x").status == 401


def test_a_stranger_opens_no_websocket(team_server: Server) -> None:
    assert team_server.handshake().status == 403
    assert team_server.handshake(Cookie="workbench_session=forged").status == 403
    assert team_server.handshake(Origin="http://evil.example").status == 403


def test_what_is_open_tells_nothing(team_server: Server) -> None:
    assert team_server.ask("GET", "/health").body == b'{"status":"ok"}'
    assert team_server.ask("GET", "/_stcore/health").status == 200
    form = team_server.ask("GET", "/sign-in")
    assert form.status == 200 and b"password" in form.body
    assert "frame-ancestors 'none'" in form.headers["content-security-policy"]


def test_a_session_opens_all_of_it_until_it_is_signed_out(
    team_server: Server, team_workbench: Workbench
) -> None:
    signed_in = team_server.sign_in("anna", PASSWORD, target="/Label?project=a%20b")
    assert signed_in.status == 303 and signed_in.headers["location"] == "/Label?project=a%20b"
    flags = signed_in.headers["set-cookie"].lower()
    assert "httponly" in flags and "samesite=lax" in flags and "path=/" in flags and "secure" not in flags
    cookie = signed_in.cookie

    assert b"<script" in team_server.ask("GET", "/Data", Cookie=cookie).body
    assert team_server.handshake(Cookie=cookie).status == 101
    anna = team_workbench.team.user_for_token(cookie.split("=")[1])
    assert anna is not None and anna.name == "anna"
    offered = team_workbench.downloads.publish("ä b.txt", anna, lambda path: path.write_bytes(b"secret"))
    fetched = team_server.ask("GET", download_address(offered), Cookie=cookie)
    assert fetched.body == b"secret" and fetched.headers["content-disposition"].startswith("attachment")
    assert fetched.headers["x-content-type-options"] == "nosniff"

    assert team_server.ask("GET", "/sign-out", Cookie=cookie).status == 303
    assert team_server.ask("POST", "/sign-out", Cookie=cookie, Origin="http://evil.example").status == 403
    assert team_server.handshake(Cookie=cookie).status == 101
    assert team_server.ask("POST", "/sign-out", Cookie=cookie, Origin=team_server.origin).status == 303
    for path in ("/Data", download_address(offered), "/media/x"):
        assert team_server.ask("GET", path, Cookie=cookie).status == 401
    assert team_server.handshake(Cookie=cookie).status == 403


def test_signing_out_ends_what_is_open(team_server: Server) -> None:
    cookie = team_server.sign_in("otto", PASSWORD).cookie
    address = f"ws://127.0.0.1:{team_server.port}/_stcore/stream"
    headers = {"Cookie": cookie, "Origin": team_server.origin}
    with connect(address, additional_headers=headers, subprotocols=["streamlit"]) as socket:
        team_server.ask("POST", "/sign-out", Cookie=cookie, Origin=team_server.origin)
        socket.send(b"")
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=20)


def test_an_expired_session_opens_nothing(team_server: Server, team_workbench: Workbench) -> None:
    otto = next(user for user in team_workbench.team.list_users() if user.name == "otto")
    for token, left in (("old", timedelta(seconds=-1)), ("new", timedelta(hours=1))):
        with team_workbench.store.write() as tx:
            tx.users.add_session(digest(token), otto.id, now() + left)
    assert team_server.ask("GET", "/Data", Cookie="workbench_session=old").status == 401
    assert team_server.ask("GET", "/Data", Cookie="workbench_session=new").status == 200


def test_downloads_are_their_owners(team_server: Server, team_workbench: Workbench) -> None:
    anna, otto = (team_server.sign_in(name, PASSWORD).cookie for name in ("anna", "otto"))
    people = {user.name: user for user in team_workbench.team.list_users()}
    hers = team_workbench.downloads.publish("a.txt", people["anna"], lambda path: path.write_bytes(b"hers"))
    his = team_workbench.downloads.publish("a.txt", people["otto"], lambda path: path.write_bytes(b"his"))
    assert team_server.ask("GET", download_address(hers), Cookie=otto).status == 404
    assert team_server.ask("GET", download_address(his), Cookie=otto).body == b"his"
    assert team_server.ask("GET", download_address(his), Cookie=anna).body == b"his"
    lead = team_workbench.team.add_user("lea", "lead", None)
    with pytest.raises(Forbidden):
        team_workbench.downloads.get(hers.id, lead)
    assert team_server.ask("GET", download_address(his) + "x", Cookie=anna).status == 404
    assert team_server.ask("GET", f"/downloads/{his.id}/..%2fabout.json", Cookie=anna).status == 400


def test_other_sites_can_neither_sign_in_nor_write(team_server: Server) -> None:
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{team_server.port + 1}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ):
        answer = team_server.sign_in("anna", PASSWORD, **headers)
        assert answer.status == 403 and "set-cookie" not in answer.headers
    cookie = team_server.sign_in("anna", PASSWORD).cookie
    answer = team_server.ask("PUT", UPLOAD, b"x", Cookie=cookie, Origin="http://evil.example")
    assert answer.status == 403 and b"another site" in answer.body
    assert (
        team_server.handshake(Cookie=cookie, Origin=f"http://127.0.0.1:{team_server.port + 1}").status == 403
    )


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "evil",
        "",
        "http:///evil.example",
        "/" + "a" * 3000,
    ],
)
def test_signing_in_leads_nowhere_else(team_server: Server, target: str) -> None:
    assert team_server.sign_in("anna", PASSWORD, target=target).headers["location"] == "/"


def test_a_wrong_password_gives_nothing_and_what_was_typed_is_escaped(team_server: Server) -> None:
    answer = team_server.sign_in('"><script>alert(1)</script>', "wrong")
    assert answer.status == 401 and "set-cookie" not in answer.headers
    assert b"<script>" not in answer.body and b"&lt;script&gt;" in answer.body
    assert team_server.ask("POST", "/sign-in", b"x" * 20_000, Origin=team_server.origin).status == 413


def test_while_the_database_is_away_only_this_machine_hears_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_DATABASE_URL", f"sqlite:///{tmp_path}")  # a folder
    app = Starlette(routes=routes(), middleware=middleware())
    own = TestClient(app, "http://localhost", client=("127.0.0.1", 1))
    elsewhere = TestClient(app, "http://labels.example.org", client=("10.0.0.5", 1))
    given = {"name": "anna", "password": PASSWORD}
    for method, path in (("GET", "/sign-in"), ("POST", "/sign-in"), ("POST", "/sign-out"), ("GET", "/Data")):
        for client in (own, elsewhere):
            answer = client.request(method, path, data=given if method == "POST" else None)
            assert answer.status_code == 503, path
            assert ("can't be opened" in answer.text) == (client is own), path
            assert ("its log says why" in answer.text) == (client is elsewhere)


def test_of_many_passwords_at_once_a_few_are_looked_at(
    sqlite_workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(sqlite_workbench.settings.home))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    now, seen = [0], []
    lock = threading.Lock()

    def slow(*_: object) -> bool:
        with lock:
            now[0] += 1
            seen.append(now[0])
        time.sleep(0.2)
        with lock:
            now[0] -= 1
        return False

    monkeypatch.setattr(TeamService, "_verify", slow)
    app = Starlette(routes=routes(), middleware=middleware())
    with TestClient(app, client=("10.0.0.5", 1)) as client, ThreadPoolExecutor(12) as pool:
        guesses = [{"name": f"name {number}", "password": "guess"} for number in range(12)]
        answers = list(pool.map(lambda guess: client.post("/sign-in", data=guess).status_code, guesses))
    assert answers == [401] * 12 and len(seen) == 12
    assert max(seen) <= LOOKED_AT


def test_solo_mode_answers_this_machine_only(solo_server: Server) -> None:
    page = solo_server.ask("GET", "/Data", Sec_Fetch_Site="cross-site")  # a link elsewhere may lead here
    assert b"<script" in page.body
    assert page.headers["content-security-policy"] == "frame-ancestors 'self'", "but no frame"
    assert solo_server.handshake().status == 101
    assert solo_server.ask("GET", "/sign-in").headers["location"] == "/"
    for headers in (
        {"X_Forwarded_For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "http://evil.example"},
    ):
        for path in ("/", "/Data", "/media/x", "/_stcore/host-config"):
            answer = solo_server.ask("GET", path, **headers)
            assert answer.status == 403 and b"workbench user add" in answer.body
        assert solo_server.handshake(**headers).status == 403
        assert solo_server.ask("PUT", UPLOAD, b"x", **headers).status == 403
    assert solo_server.handshake(Origin=f"http://127.0.0.1:{solo_server.port + 1}").status == 403


def test_the_first_account_ends_solo_mode(solo_server: Server) -> None:
    home = solo_server.log.parent / "home"
    from workbench.config import Settings
    from workbench.services import open_workbench

    opened = open_workbench(Settings(home=home, database_url=None))
    try:
        opened.team.add_user("first", "admin", PASSWORD)
    finally:
        opened.close()
    assert solo_server.ask("GET", "/Data").status == 401
    assert solo_server.handshake().status == 403
