"""Dialect A: `POST /api/action/do`, `GET /api/score/top`."""

import json

import httpx
import pytest

from server.keys import JwtKey
from tests.caller import Caller, minted, signing_key
from tests.contract.frontend import (
    INSTANT,
    PAUSED,
    POINTS,
    TIMED,
    assert_coded,
    entries_of,
    everywhere,
    malformed,
    refused_ids,
    scored,
    send,
    top_of,
)
from tests.laurel_process import LaurelProcess

WRITES = [("POST", "/api/action/do"), ("PATCH", "/api/score/update")]
"""E speaks A's words at another address."""
READ = "/api/score/top"

both = pytest.mark.parametrize(("method", "path"), WRITES)


@pytest.fixture
def key(board: LaurelProcess) -> JwtKey:
    return signing_key(board)


def write(caller: Caller, method: str, path: str, action_id: str) -> httpx.Response:
    return send(caller, method, path, json.dumps({"actionId": action_id}).encode())


def assert_scored(answer: httpx.Response, score: int) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    assert answer.json() == {"success": True, "newScore": score}


@both
def test_a_ticket_a_held_one_and_an_instant_action_count(
    board: LaurelProcess, caller: Caller, method: str, path: str
) -> None:
    ticket, held = caller.issue(TIMED), caller.issue(TIMED, hold=True)
    assert_scored(write(caller, method, path, ticket["ticket"]), 7)
    assert_scored(write(caller, method, path, held["ticketId"].upper()), 14)
    assert_scored(write(caller, method, path, INSTANT), 17)
    assert_scored(write(caller, method, path, INSTANT), 20)
    with caller.at(board.urls[1]) as there:
        # Sent again, each has its recorded result: by text, by id, also where the ticket was never held.
        for spent in (ticket["ticket"], ticket["ticketId"]):
            assert_scored(write(there, method, path, spent), 7)
        for spent in (held["ticket"], held["ticketId"]):
            assert_scored(write(there, method, path, spent), 14)
    entries = entries_of(board, caller.user_id)
    assert [(entry["kind"], entry["delta"]) for entry in entries] == [("redeem", n) for n in (7, 7, 3, 3)]
    assert [entry["entry_id"] for entry in entries[:2]] == [ticket["ticketId"], held["ticketId"]]


@both
def test_an_instant_action_counts_once_with_an_idempotency_key(caller: Caller, method: str, path: str) -> None:
    for _ in range(2):
        body = json.dumps({"actionId": INSTANT}).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"{method}-1"}
        assert_scored(caller.http.request(method, path, content=body, headers=headers), 3)


@both
def test_what_is_refused_says_why_and_changes_nothing(
    board: LaurelProcess, caller: Caller, other: Caller, method: str, path: str
) -> None:
    for _, action_id, _, status, code in refused_ids(caller, other):
        assert_coded(write(caller, method, path, action_id), status, code)
    assert entries_of(board, caller.user_id) == []
    assert_scored(write(caller, method, path, PAUSED), POINTS[PAUSED])
    assert_coded(write(caller, method, path, PAUSED), 409, "cooldown")


@both
def test_malformed_bodies_are_refused(board: LaurelProcess, caller: Caller, method: str, path: str) -> None:
    good = {"actionId": INSTANT}
    for what, body in malformed(good):
        answer = send(caller, method, path, body)
        assert answer.status_code == 400, (what, answer.text)
        assert_coded(answer, 400, "invalid_request")
    assert_coded(send(caller, method, path, json.dumps(good).encode(), "text/plain"), 415, "not_json")
    assert_coded(send(caller, method, path, b" " * 20_000 + json.dumps(good).encode()), 413, "too_large")
    assert entries_of(board, caller.user_id) == []


@both
def test_only_players_may_write(board: LaurelProcess, caller: Caller, key: JwtKey, method: str, path: str) -> None:
    body = json.dumps({"actionId": INSTANT}).encode()
    tokens = {
        None: "token_missing",
        "x.y.z": "token_invalid",
        minted(key, caller.user_id, iat=1, exp=2): "token_expired",
    }
    for token, code in tokens.items():
        with Caller(board.urls[0], token) as somebody:
            assert_coded(send(somebody, method, path, body), 401, code)
            assert_coded(somebody.http.get(READ), 401, code)
    nobody_known = minted(key, "00000000-0000-4000-8000-000000000000")
    with Caller(board.urls[0], nobody_known) as somebody:
        assert_coded(send(somebody, method, path, body), 401, "token_invalid")
    assert entries_of(board, caller.user_id) == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/action/do"), ("PUT", "/api/score/update"), ("POST", READ)])
def test_another_method_is_refused(caller: Caller, method: str, path: str) -> None:
    answer = caller.http.request(method, path)
    assert_coded(answer, 405, "invalid_request")
    assert answer.headers["allow"]


@both
def test_one_ticket_sent_to_both_pods_at_once_counts_once(
    board: LaurelProcess, caller: Caller, method: str, path: str
) -> None:
    held = caller.issue(TIMED, hold=True)
    for answer in everywhere(board, caller, lambda one: write(one, method, path, held["ticketId"])):
        assert_scored(answer, 7)
    assert len(entries_of(board, caller.user_id)) == 1


def test_the_top_is_a_bare_list_of_ten(board: LaurelProcess, caller: Caller) -> None:
    best = scored(board, 12)
    answer = caller.http.get(READ)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    top = answer.json()
    assert len(top) == 10
    assert all(set(row) == {"userId", "score"} for row in top)
    assert top == [{"userId": row["userId"], "score": row["score"]} for row in top_of(board)["entries"]]
    assert [row["score"] for row in top] == sorted((row["score"] for row in top), reverse=True)
    assert best[0] in [row["userId"] for row in top]
