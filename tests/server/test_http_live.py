"""The WebSocket: who may open it, what it may say, and how it ends."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from server.keys import JwtKey
from tests.caller import Caller, assert_problem, minted, player, signing_key
from tests.laurel_process import LaurelProcess, until

SECONDS = 15


@pytest.fixture(scope="module")
def caller(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel) as found:
        yield found


@pytest.fixture(scope="module")
def key(laurel: LaurelProcess) -> JwtKey:
    return signing_key(laurel)


def opened(laurel: LaurelProcess, query: str = "", pod: int = 0, **more: Any) -> ClientConnection:
    url = f"{laurel.urls[pod].replace('http', 'ws', 1)}/api/v1/live{query}"
    return connect(url, proxy=None, open_timeout=SECONDS, close_timeout=SECONDS, **more)


def received(ws: ClientConnection, wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
    """The next message that is wanted."""
    deadline = time.monotonic() + SECONDS
    while True:
        message = json.loads(ws.recv(timeout=max(0.0, deadline - time.monotonic())))
        if wanted(message):
            return message


def of_type(kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda message: message["type"] == kind


def closed(ws: ClientConnection) -> tuple[int, str]:
    """The code and reason that a socket is closed with."""
    try:
        while True:
            ws.recv(timeout=SECONDS)
    except ConnectionClosed as error:
        assert error.rcvd is not None, "no close frame"
        return error.rcvd.code, error.rcvd.reason


def refused(laurel: LaurelProcess, query: str = "", **more: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as failure:
        opened(laurel, query, **more)
    return failure.value.response.status_code, json.loads(failure.value.response.body)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://[", "http://127.0.0.1", "127.0.0.1", "", "file://", "http://localhost:1"],
)
def test_a_foreign_origin_is_refused(laurel: LaurelProcess, origin: str):
    status, problem = refused(laurel, additional_headers={"Origin": origin})
    assert (status, problem["code"]) == (403, "forbidden")


def test_the_servers_own_origin_and_none_are_let_in(laurel: LaurelProcess):
    for more in ({}, {"additional_headers": {"Origin": f"http://{urlsplit(laurel.urls[0]).netloc}"}}):
        with opened(laurel, **more) as ws:
            assert received(ws)["type"] == "leaderboard.snapshot"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?board=none", 404, "not_found"),
        ("?board=%00", 404, "not_found"),
        ("?epoch=x", 400, "invalid_request"),
        ("?version=1", 400, "invalid_request"),
        ("?epoch=x&version=-1", 400, "invalid_request"),
        ("?epoch=x&version=12345678901234567", 400, "invalid_request"),
        ("?epoch=x&version=%D9%A1", 400, "invalid_request"),
    ],
)
def test_a_bad_address_is_refused(laurel: LaurelProcess, query: str, status: int, code: str):
    found, problem = refused(laurel, query)
    assert (found, problem["code"]) == (status, code)


def test_a_plain_request_is_told_what_to_speak(caller: Caller):
    assert_problem(caller.http.get("/api/v1/live"), 400, "invalid_request")
    assert_problem(caller.http.get("/api/v1/live?board=none", headers={"Upgrade": "websocket"}), 404, "not_found")


def test_an_upgrade_without_its_headers_is_no_fault_of_ours(caller: Caller):
    answer = caller.http.get("/api/v1/live", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert 400 <= answer.status_code < 500


def test_a_bad_token_is_refused_at_the_handshake(laurel: LaurelProcess, caller: Caller, key: JwtKey):
    late = minted(key, caller.user_id, exp=int(time.time()) - 1)
    for token, code in (("x", "token_invalid"), (late, "token_expired")):
        header = {"additional_headers": {"Authorization": f"Bearer {token}"}}
        for more in (header, {"subprotocols": [f"bearer.{token}"]}):
            status, problem = refused(laurel, **more)
            assert (status, problem["code"]) == (401, code)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "x",
        "[]",
        "null",
        "{}",
        '{"type": "dance"}',
        '{"type": 1}',
        '{"type": "ping", "more": 1}',
        '{"type": "auth"}',
        '{"type": "auth", "token": 1}',
        '{"type": "auth", "token": "\\ud800"}',
        '{"type": "subscribe"}',
        '{"type": "resume", "board": "global", "epoch": "x", "version": "1"}',
        '{"type": "resume", "board": "global", "epoch": "x", "version": 1e400}',
        '{"type": "resume", "board": "global", "epoch": "x", "version": NaN}',
        '{"type": "resume", "board": "global", "epoch": "x", "version": -1}',
        '{"type": "subscribe", "board": "weekly", "board": "daily"}',
        "[" * 3_000,
        b"\x00\xff",
    ],
)
def test_a_bad_message_closes_4400(laurel: LaurelProcess, message: str | bytes):
    with opened(laurel) as ws:
        ws.send(message)
        assert closed(ws)[0] == 4400


def test_a_large_frame_closes_1009(laurel: LaurelProcess):
    with opened(laurel) as ws:
        ws.send('{"type": "ping"}' + " " * 4_096)
        assert closed(ws)[0] == 1009


def test_the_largest_frame_is_read(laurel: LaurelProcess):
    with opened(laurel) as ws:
        ws.send('{"type": "ping"}'.ljust(4_096))
        received(ws, of_type("pong"))


def test_too_many_frames_close_4429(laurel: LaurelProcess):
    with opened(laurel) as ws:
        for _ in range(20):
            ws.send('{"type": "ping"}')
        for _ in range(20):
            received(ws, of_type("pong"))
        ws.send('{"type": "ping"}')
        assert closed(ws)[0] == 4429


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\udc00", "x" * 3_900])
def test_a_bad_token_in_a_message_closes(laurel: LaurelProcess, token: str):
    with opened(laurel) as ws:
        ws.send(json.dumps({"type": "auth", "token": token}))
        assert closed(ws)[0] == (4400 if token == "\udc00" else 4401)


def test_a_token_that_expires_closes_4401(laurel: LaurelProcess, caller: Caller, key: JwtKey):
    token = minted(key, caller.user_id, exp=int(time.time()) + 2)
    with opened(laurel) as ws:
        ws.send(json.dumps({"type": "auth", "token": token}))
        received(ws, of_type("authenticated"))
        assert closed(ws) == (4401, "token_expired")


def test_a_snapshot_comes_first_and_is_whole(laurel: LaurelProcess):
    with opened(laurel, "?board=weekly") as ws:
        snapshot = received(ws)
    assert set(snapshot) == {"type", "board", "period", "epoch", "version", "data"}
    assert (snapshot["type"], snapshot["board"]) == ("leaderboard.snapshot", "weekly")
    assert len(snapshot["data"]["entries"]) <= 10
    assert ":" not in snapshot["epoch"]


def test_boards_are_subscribed_and_left(laurel: LaurelProcess):
    with opened(laurel) as ws:
        assert received(ws)["board"] == "global"
        ws.send('{"type": "subscribe", "board": "weekly"}')
        assert received(ws, of_type("leaderboard.snapshot"))["board"] == "weekly"
        ws.send('{"type": "unsubscribe", "board": "global"}')
        ws.send('{"type": "unsubscribe", "board": "global"}')
        ws.send('{"type": "unsubscribe", "board": "none"}')
        ws.send('{"type": "ping"}')
        received(ws, of_type("pong"))
        with player(laurel) as scorer:
            assert scorer.redeem(scorer.issue("sprint")["ticket"]).status_code == 200
            ws.send('{"type": "subscribe", "board": "none"}')
            seen: list[dict[str, Any]] = []
            received(ws, lambda message: seen.append(message) or message["type"] == "error")
        assert seen[-1]["code"] == "not_found"
        assert {message["board"] for message in seen[:-1]} <= {"weekly"}


@pytest.fixture
def quiet(laurel: LaurelProcess, admin: Caller, caller: Caller) -> Iterator[str]:
    """A board on which nobody but the caller scores."""
    region = f"r-{uuid4().hex[:12]}"
    rules = {"title": "Quiet", "fold": "sum", "window": "all", "filter": {"region": region}}
    assert admin.post("/api/v1/admin/boards", rules | {"boardId": region}).status_code == 201
    assert caller.http.patch("/api/v1/me", json={"region": region}).status_code == 200
    until(lambda: all(httpx.get(f"{url}/api/v1/boards/{region}/top").status_code == 200 for url in laurel.urls))
    yield region
    assert admin.http.delete(f"/api/v1/admin/boards/{region}").status_code == 204


def test_an_address_resumes_where_it_was(laurel: LaurelProcess, caller: Caller, quiet: str):
    with opened(laurel, f"?board={quiet}", pod=2) as ws:
        before = received(ws)
        assert (before["type"], before["data"]["entries"]) == ("leaderboard.snapshot", [])
        for _ in range(2):
            caller.redeem(caller.issue("sprint")["ticket"])
        while (last := received(ws))["data"]["updatedPositions"][0]["score"] < 20:
            pass
    with opened(laurel, f"?board={quiet}&epoch={before['epoch']}&version={before['version']}", pod=2) as ws:
        first = received(ws)
    assert (first["type"], first["epoch"]) == ("leaderboard.update", before["epoch"])
    assert (first["previous"], first["version"]) == (before["version"], last["version"])
    assert [(row["userId"], row["score"]) for row in first["data"]["updatedPositions"]] == [(caller.user_id, 20)]


def test_a_position_that_is_ahead_or_of_another_epoch_gets_a_snapshot(laurel: LaurelProcess):
    with opened(laurel, pod=1) as ws:
        before = received(ws)
    for epoch in ("other", before["epoch"]):
        with opened(laurel, "?board=weekly", pod=2) as ws:
            received(ws)
            resume = {"type": "resume", "board": "global", "epoch": epoch, "version": 10**15}
            ws.send(json.dumps(resume))
            again = received(ws, lambda message: message["board"] == "global")
            assert again["type"] == "leaderboard.snapshot"
            ws.send(json.dumps(resume | {"epoch": again["epoch"], "version": again["version"]}))
            ws.send('{"type": "ping"}')
            follows = received(ws, lambda message: message.get("board") != "weekly")
            assert follows["type"] in ("pong", "leaderboard.update")


@pytest.mark.parametrize("way", ["header", "subprotocol", "message"])
def test_ones_own_score_is_told_on_another_pod(laurel: LaurelProcess, way: str):
    with player(laurel) as scorer:
        more: dict[str, Any] = {}
        if way == "header":
            more = {"additional_headers": {"Authorization": f"Bearer {scorer.token}"}}
        elif way == "subprotocol":
            more = {"subprotocols": [f"bearer.{scorer.token}"]}
        with opened(laurel, pod=1, **more) as ws:
            if way == "message":
                ws.send(json.dumps({"type": "auth", "token": scorer.token}))
            if way == "subprotocol":
                assert ws.subprotocol == f"bearer.{scorer.token}"
            told = received(ws, of_type("authenticated"))
            assert told["data"] == {"userId": scorer.user_id}
            answer = scorer.redeem(scorer.issue("sprint")["ticket"]).json()
            update = received(ws, of_type("user.scoreUpdate"))["data"]
    assert set(update) == {"newScore", "leaderboardPosition", "change", "pointsToTop10", "userVersion"}
    assert (update["newScore"], update["change"], update["userVersion"]) == (answer["newScore"], 10, 1)
    assert update["leaderboardPosition"] >= 1


def test_a_stranger_is_told_nothing_personal(laurel: LaurelProcess, caller: Caller):
    with player(laurel) as scorer, opened(laurel, pod=1) as ws:
        ws.send(json.dumps({"type": "auth", "token": caller.token}))
        received(ws, of_type("authenticated"))
        scorer.redeem(scorer.issue("sprint")["ticket"])
        caller.redeem(caller.issue("sprint")["ticket"])
        update = received(ws, of_type("user.scoreUpdate"))["data"]
        own = caller.http.get("/api/v1/me").json()
        assert (update["newScore"], update["userVersion"]) == (own["score"], own["userVersion"])
