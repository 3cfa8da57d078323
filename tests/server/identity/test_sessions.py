"""Sessions: renewed once each, ended everywhere, never told apart by who exists."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.caller import Caller, assert_problem, fetch, player
from tests.laurel_process import LaurelProcess, until

LOGIN, REFRESH, LOGOUT = "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout"
ME = "/api/v1/me"
PASSWORD = "correct horse"
WITHIN_SECONDS = 1.0


class Entered:
    """A log-in of an account, at any pod."""

    def __init__(self, laurel: LaurelProcess, answer: httpx.Response) -> None:
        self.laurel = laurel
        self.facts: dict[str, Any] = answer.json()

    @property
    def refresh_token(self) -> str:
        return self.facts["refreshToken"]

    def status(self, pod: int) -> int:
        with Caller(self.laurel.urls[pod], self.facts["accessToken"]) as caller:
            return caller.http.get(ME).status_code

    def statuses(self) -> list[int]:
        return [self.status(pod) for pod in range(len(self.laurel.urls))]

    def renew(self, pod: int = 0) -> httpx.Response:
        return post(self.laurel, REFRESH, {"refreshToken": self.refresh_token}, pod)

    def logout(self, pod: int = 0) -> httpx.Response:
        with Caller(self.laurel.urls[pod], self.facts["accessToken"]) as caller:
            return caller.http.post(LOGOUT)


def post(laurel: LaurelProcess, path: str, body: object, pod: int = 0) -> httpx.Response:
    with Caller(laurel.urls[pod]) as nobody:
        return nobody.post(path, body)


@pytest.fixture
def name() -> str:
    return f"s{uuid4().hex[:20]}"


@pytest.fixture
def entered(laurel: LaurelProcess, name: str) -> Entered:
    answer = post(laurel, "/api/v1/auth/register", {"username": name, "password": PASSWORD})
    assert answer.status_code == 201
    return Entered(laurel, answer)


def again(laurel: LaurelProcess, name: str) -> Entered:
    answer = post(laurel, LOGIN, {"username": name, "password": PASSWORD})
    assert answer.status_code == 200
    return Entered(laurel, answer)


Query = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def query(laurel: LaurelProcess) -> Query:
    """Rows straight from the database."""
    url = laurel.config()["databaseUrl"]
    return lambda statement, *values: asyncio.run(fetch(url, statement, *values))


def test_renewing_goes_on_and_on_at_any_pod(laurel: LaurelProcess, entered: Entered):
    for pod in (1, 2, 0):
        answer = entered.renew(pod)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        following = Entered(laurel, answer)
        assert following.refresh_token != entered.refresh_token
        assert set(following.facts) == set(entered.facts)
        assert following.facts["user"] == entered.facts["user"]
        assert entered.statuses() == following.statuses() == [200] * 3
        entered = following


@pytest.mark.alone
def test_using_one_again_ends_the_family_everywhere(laurel: LaurelProcess, entered: Entered, name: str):
    other = again(laurel, name)
    following = Entered(laurel, entered.renew(1))
    last = Entered(laurel, following.renew(2))
    assert last.statuses() == [200] * 3
    assert_problem(entered.renew(0), 401, "token_invalid")
    assert last.status(0) == 401
    until(lambda: last.statuses() == following.statuses() == entered.statuses() == [401] * 3, WITHIN_SECONDS)
    assert_problem(last.renew(0), 401, "token_invalid")
    assert other.statuses() == [200] * 3
    assert other.renew(1).status_code == 200


def test_of_two_uses_at_once_one_ends_the_session(laurel: LaurelProcess, query: Query, name: str, entered: Entered):
    for _ in range(6):
        session = again(laurel, name)
        answers: list[httpx.Response] = []
        start = threading.Barrier(3)

        def use(pod: int, session: Entered = session, start: threading.Barrier = start) -> None:
            with Caller(laurel.urls[pod]) as nobody:
                nobody.http.get("/healthz")
                start.wait()
                answers.append(nobody.post(REFRESH, {"refreshToken": session.refresh_token}))  # noqa: B023

        threads = [threading.Thread(target=use, args=(pod,)) for pod in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401]
        (won,) = [Entered(laurel, answer) for answer in answers if answer.status_code == 200]
        assert won.renew().status_code == 401
        sid = jwt.decode(won.facts["accessToken"], options={"verify_signature": False})["sid"]
        (row,) = query("SELECT ended_at IS NOT NULL AS ended FROM sessions WHERE session_id = $1", sid)
        assert row["ended"]
    assert entered.status(0) == 200


@pytest.mark.parametrize("token", ["", "x", "é" * 10, "\ud800", "a" * 201, "a\0b", 7, None])
def test_a_strange_refresh_token_is_refused(laurel: LaurelProcess, token: object):
    body = json.dumps({"refreshToken": token}).encode()
    with Caller(laurel.urls[0]) as nobody:
        answer = nobody.http.post(REFRESH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 401), answer.text
    assert answer.json()["code"] in ("invalid_request", "token_invalid")


def test_a_session_that_lay_too_long_has_ended(query: Query, entered: Entered):
    used = sha256(entered.refresh_token.encode()).digest()
    statement = "SELECT session_id FROM refresh_tokens WHERE token_hash = $1"
    (row,) = query(statement, used)
    query("UPDATE sessions SET expires_at = now() WHERE session_id = $1", row["session_id"])
    assert_problem(entered.renew(), 401, "token_invalid")


def test_tokens_are_kept_hashed(query: Query, entered: Entered):
    rows = query("SELECT t::text AS row FROM refresh_tokens t UNION ALL SELECT s::text FROM sessions s")
    kept = "".join(row["row"] for row in rows)
    assert sha256(entered.refresh_token.encode()).hexdigest() in kept
    assert entered.refresh_token not in kept
    assert entered.facts["accessToken"] not in kept


@pytest.mark.alone
def test_logging_out_ends_this_session_on_every_pod(laurel: LaurelProcess, entered: Entered, name: str):
    other = again(laurel, name)
    assert entered.statuses() == [200] * 3  # every pod remembers the token now
    with connect(laurel.urls[2].replace("http", "ws") + "/api/v1/live") as socket:
        socket.send(json.dumps({"type": "auth", "token": entered.facts["accessToken"]}))
        while json.loads(socket.recv(5))["type"] != "authenticated":
            pass
        began = time.monotonic()
        assert entered.logout(1).status_code == 204
        assert entered.status(1) == 401
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(5)
        assert closed.value.rcvd.code == 4401
        assert time.monotonic() - began < WITHIN_SECONDS
    until(lambda: entered.statuses() == [401] * 3, WITHIN_SECONDS)
    assert_problem(entered.renew(), 401, "token_invalid")
    assert_problem(entered.logout(), 401, "token_invalid")
    assert other.statuses() == [200] * 3
    assert again(laurel, name).status(0) == 200


@pytest.mark.alone
def test_a_minted_token_is_a_session_of_its_own(laurel: LaurelProcess, name: str):
    lines = laurel.run("token", "mint", "--user", name) + laurel.run("token", "mint", "--user", name)
    one, other = (line.partition("\t")[2] for line in lines.splitlines())
    with Caller(laurel.urls[0], one) as first, Caller(laurel.urls[1], other) as second:
        assert first.http.post(LOGOUT, json={"everywhere": True}).status_code == 400
        assert first.http.post(LOGOUT, json={}).status_code == 204
        with first.at(laurel.urls[2]) as there:
            until(lambda: there.http.get(ME).status_code == 401, WITHIN_SECONDS)
        assert second.http.get(ME).status_code == 200


@pytest.mark.alone
def test_an_erased_players_tokens_stop_working(laurel: LaurelProcess, query: Query, entered: Entered):
    user_id = entered.facts["user"]["userId"]
    with player(laurel) as other:
        assert entered.statuses() == [200] * 3
        query("DELETE FROM accounts WHERE user_id = $1", user_id)
        until(lambda: entered.statuses() == [401] * 3, WITHIN_SECONDS)
        assert_problem(entered.renew(), 401, "token_invalid")
        assert other.http.get(ME).status_code == 200


@pytest.mark.alone
def test_who_exists_shows_neither_in_words_nor_in_time(laurel: LaurelProcess, name: str, entered: Entered):
    took: dict[str, list[float]] = {name: [], "nobody.of.that.name": []}
    bodies = set()
    with Caller(laurel.urls[0]) as nobody:
        for _ in range(9):
            for who, times in took.items():
                began = time.perf_counter()
                answer = nobody.post(LOGIN, {"username": who, "password": "not the password"})
                times.append(time.perf_counter() - began)
                assert_problem(answer, 401, "login_failed")
                bodies.add(answer.content)
    assert len(bodies) == 1
    known, unknown = (min(times) for times in took.values())  # what a busy machine adds is not the server's
    assert 0.5 < known / unknown < 2
