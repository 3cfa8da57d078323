"""Dialect D: `POST /api/scores/update` with `authToken`, `GET /api/scores/top`."""

import json
from typing import Any
from uuid import uuid4

import httpx

from tests.caller import Caller, minted, signing_key
from tests.contract.frontend import (
    INSTANT,
    PAUSED,
    TIMED,
    assert_coded,
    assert_headers,
    entries_of,
    everywhere,
    malformed,
    refused_ids,
    scored,
    send,
    top_of,
)
from tests.laurel_process import LaurelProcess

PATH = "/api/scores/update"
READ = "/api/scores/top"
ERRORS = {400: "Invalid action or request format.", 403: "Unauthorized score update attempt."}


def body_of(caller: Caller, action_id: str) -> dict[str, Any]:
    return {"userId": caller.user_id, "authToken": caller.token, "actionId": action_id}


def write(caller: Caller, action_id: str, **changed: Any) -> httpx.Response:
    """Without an Authorization header: the token stands in the body."""
    body = json.dumps(body_of(caller, action_id) | changed).encode()
    with Caller(caller.url) as bare:
        return send(bare, "POST", PATH, body)


def assert_scored(answer: httpx.Response, score: int) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    assert answer.json() == {"success": True, "message": "Score updated successfully.", "updatedScore": score}


def assert_refused(answer: httpx.Response, status: int) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    assert answer.json() == {"success": False, "error": ERRORS[status]}
    assert_headers(answer)


def test_a_ticket_a_held_one_and_an_instant_action_count(board: LaurelProcess, caller: Caller) -> None:
    ticket, held = caller.issue(TIMED), caller.issue(TIMED, hold=True)
    assert_scored(write(caller, ticket["ticket"]), 7)
    assert_scored(write(caller, held["ticketId"]), 14)
    assert_scored(write(caller, INSTANT, userId=caller.user_id.upper()), 17)
    with caller.at(board.urls[1]) as there:
        for spent in (ticket["ticket"], ticket["ticketId"]):
            assert_scored(write(there, spent), 7)
        assert_scored(write(there, held["ticketId"]), 14)
    assert len(entries_of(board, caller.user_id)) == 3


def test_one_ticket_sent_to_both_pods_at_once_counts_once(board: LaurelProcess, caller: Caller) -> None:
    held = caller.issue(TIMED, hold=True)
    for answer in everywhere(board, caller, lambda one: write(one, held["ticketId"])):
        assert_scored(answer, 7)
    assert len(entries_of(board, caller.user_id)) == 1


def test_refused_tickets_are_400_and_other_players_403(board: LaurelProcess, caller: Caller, other: Caller) -> None:
    for what, action_id, _, _, _ in refused_ids(caller, other):
        assert_refused(write(caller, action_id), 403 if what.startswith("another's") else 400)
    assert_refused(write(caller, INSTANT, userId=other.user_id), 403)
    assert_refused(write(caller, INSTANT, authToken=other.token), 403)
    assert entries_of(board, caller.user_id) == []
    assert_scored(write(caller, PAUSED), 5)
    assert_refused(write(caller, PAUSED), 400)


def test_a_bad_token_is_403(board: LaurelProcess, caller: Caller) -> None:
    key = signing_key(board)
    nobody_known = "00000000-0000-4000-8000-000000000000"
    for token in ("", "x", "x.y.z", minted(key, caller.user_id, iat=1, exp=2), f"{caller.token}x", "x" * 5_000):
        assert_refused(write(caller, INSTANT, authToken=token), 403)
    assert_refused(write(caller, INSTANT, userId=nobody_known, authToken=minted(key, nobody_known)), 403)
    assert entries_of(board, caller.user_id) == []


def test_malformed_bodies_are_400_in_the_shape_of_whom_they_can_be_told_to_be(
    board: LaurelProcess, caller: Caller
) -> None:
    good = body_of(caller, INSTANT)
    told: list[str] = []
    for what, body in malformed(good):
        answer = send(caller, "POST", PATH, body)
        assert answer.status_code == 400, (what, answer.text)
        if set(answer.json()) == {"success", "error", "message"}:
            assert_coded(answer, 400, "invalid_request")
            told.append(what)
        else:
            assert_refused(answer, 400)
    # What cannot be read, or lacks the token, is answered as B's.
    assert told == ["nothing", "no json", "half", "a list", "null", "deep", "no utf-8", "without authToken"]
    assert_refused(write(caller, INSTANT, userId="someone"), 400)
    assert_refused(send(caller, "POST", PATH, json.dumps(good).encode(), "text/plain"), 400)
    assert_refused(write(caller, INSTANT, actionType=INSTANT), 400)
    assert entries_of(board, caller.user_id) == []


def test_everybody_may_read_the_top(board: LaurelProcess, caller: Caller) -> None:
    best = scored(board, 2)
    with Caller(board.urls[0]) as nobody:
        answer = nobody.http.get(READ)
        assert_refused(nobody.http.post(READ, json={}), 400)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert set(answer.json()) == {"topScores"}
    native = top_of(board)["entries"]
    assert answer.json()["topScores"] == [{"userId": row["userId"], "score": row["score"]} for row in native]
    assert len(answer.json()["topScores"]) <= 10
    assert {best[0], best[1]} <= {row["userId"] for row in top_of(board, limit=100)["entries"]}
    with Caller(board.urls[0], f"{caller.token}x") as forger:
        assert_refused(forger.http.get(READ), 403)


def test_the_same_path_still_speaks_b(caller: Caller) -> None:
    answer = caller.post(PATH, {"actionId": str(uuid4()), "actionType": INSTANT})
    assert set(answer.json()) == {"success", "newScore", "leaderboardPosition", "message"}
