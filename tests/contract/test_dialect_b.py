"""Dialect B: `POST /api/scores/update` with `actionType`, `GET /api/leaderboard`."""

import json
from datetime import datetime
from uuid import uuid4

import httpx

from tests.caller import Caller, minted, player, signing_key
from tests.contract.frontend import (
    INSTANT,
    PAUSED,
    SWITCHED_OFF,
    TIMED,
    assert_coded,
    entries_of,
    everywhere,
    malformed,
    refused_ids,
    scored,
    send,
    tampered,
    top_of,
)
from tests.laurel_process import LaurelProcess

PATH = "/api/scores/update"
READ = "/api/leaderboard"


def write(caller: Caller, action_id: str, action_type: str) -> httpx.Response:
    return send(caller, "POST", PATH, json.dumps({"actionId": action_id, "actionType": action_type}).encode())


def assert_scored(answer: httpx.Response, score: int) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    body = answer.json()
    assert set(body) == {"success", "newScore", "leaderboardPosition", "message"}
    assert (body["success"], body["newScore"]) == (True, score)
    position = body["leaderboardPosition"]
    assert position is None or (isinstance(position, int) and position >= 1)
    assert isinstance(body["message"], str)
    assert body["message"]


def test_tickets_count_as_the_action_they_were_started_with(board: LaurelProcess, caller: Caller) -> None:
    ticket, held = caller.issue(TIMED), caller.issue(TIMED, hold=True)
    for wrong in (INSTANT, "no-such-action", "Run!"):
        assert_coded(write(caller, ticket["ticket"], wrong), 409, "conflict")
        assert_coded(write(caller, held["ticketId"], wrong), 409, "conflict")
    assert entries_of(board, caller.user_id) == []
    assert_scored(write(caller, ticket["ticket"], TIMED), 7)
    assert_scored(write(caller, held["ticketId"], TIMED), 14)
    with caller.at(board.urls[1]) as there:
        assert_scored(write(there, ticket["ticket"], TIMED), 7)
        assert_scored(write(there, ticket["ticketId"], TIMED), 7)
        assert_scored(write(there, held["ticketId"], TIMED), 14)
        # A spent ticket is never taken for an id of the client's own.
        assert_coded(write(there, ticket["ticketId"], INSTANT), 409, "conflict")
    assert len(entries_of(board, caller.user_id)) == 2


def test_an_own_id_makes_an_instant_action_count_once(board: LaurelProcess, caller: Caller, other: Caller) -> None:
    own = str(uuid4())
    assert_scored(write(caller, own, INSTANT), 3)
    with caller.at(board.urls[1]) as there:
        assert_scored(write(there, own, INSTANT), 3)
        assert_scored(write(there, own.upper(), INSTANT), 3)
        assert_coded(write(there, own, PAUSED), 409, "conflict")
    assert_scored(write(caller, f"click #{own}", INSTANT), 6)
    assert_scored(write(caller, f"click #{own}", INSTANT), 6)
    assert_scored(write(other, own, INSTANT), 3)
    assert [(entry["kind"], entry["action_id"]) for entry in entries_of(board, caller.user_id)] == [
        ("redeem", INSTANT)
    ] * 2
    assert_scored(write(caller, "one", PAUSED), 11)
    assert_coded(write(caller, "two", PAUSED), 409, "cooldown")
    assert_scored(write(caller, "one", PAUSED), 11)
    assert_coded(write(caller, "three", SWITCHED_OFF), 409, "action_disabled")
    for count, own in enumerate(("ü" * 200, "ü" * 201, "x" * 201, "a\tb"), start=1):
        for _ in range(2):
            assert_scored(write(caller, own, INSTANT), 11 + 3 * count)


def test_an_own_id_sent_everywhere_at_once_counts_once(board: LaurelProcess, caller: Caller) -> None:
    for own in (str(uuid4()), "tap-1"):
        before = len(entries_of(board, caller.user_id))
        scores = {
            answer.json()["newScore"]
            for answer in everywhere(board, caller, lambda one, own=own: write(one, own, INSTANT))
        }
        assert scores == {3 * (before + 1)}
        assert len(entries_of(board, caller.user_id)) == before + 1


def test_the_id_of_an_instant_action_counts_each_time(caller: Caller) -> None:
    assert_scored(write(caller, INSTANT, INSTANT), 3)
    assert_scored(write(caller, INSTANT, INSTANT), 6)
    assert_coded(write(caller, INSTANT, PAUSED), 409, "conflict")


def test_what_is_refused_says_why_and_changes_nothing(board: LaurelProcess, caller: Caller, other: Caller) -> None:
    for _, action_id, action_type, status, code in refused_ids(caller, other):
        assert_coded(write(caller, action_id, action_type), status, code)
    assert_coded(write(caller, tampered(caller.issue(TIMED)["ticket"]), "no-such-action"), 403, "ticket_forged")
    assert_coded(write(caller, str(uuid4()), "no-such-action"), 404, "action_unknown")
    assert entries_of(board, caller.user_id) == []


def test_malformed_bodies_are_refused(board: LaurelProcess, caller: Caller) -> None:
    good = {"actionId": str(uuid4()), "actionType": INSTANT}
    for what, body in malformed(good):
        answer = send(caller, "POST", PATH, body)
        assert answer.status_code == 400, (what, answer.text)
        assert_coded(answer, 400, "invalid_request")
    assert_coded(send(caller, "POST", PATH, json.dumps(good).encode(), "text/plain"), 415, "not_json")
    assert_coded(send(caller, "POST", PATH, b" " * 20_000 + json.dumps(good).encode()), 413, "too_large")
    answer = caller.http.put(PATH, json=good)
    assert_coded(answer, 405, "invalid_request")
    assert "POST" in answer.headers["allow"]
    assert entries_of(board, caller.user_id) == []


def test_only_players_may_write(board: LaurelProcess, caller: Caller) -> None:
    expired = minted(signing_key(board), caller.user_id, iat=1, exp=2)
    for token, code in {None: "token_missing", "x.y.z": "token_invalid", expired: "token_expired"}.items():
        with Caller(board.urls[0], token) as somebody:
            assert_coded(write(somebody, str(uuid4()), INSTANT), 401, code)
            assert_coded(somebody.http.post(PATH, json={}), 401, code)
            # May be D's, whose clients have no token but in the body.
            assert_coded(send(somebody, "POST", PATH, b"{bad"), 400, "invalid_request")
    assert entries_of(board, caller.user_id) == []


def test_everybody_may_read_and_players_learn_their_rank(board: LaurelProcess, caller: Caller) -> None:
    best = scored(board, 2)
    with Caller(board.urls[0]) as nobody:
        open_to_all = nobody.http.get(READ)
    assert (open_to_all.status_code, open_to_all.headers["content-type"]) == (200, "application/json")
    body = open_to_all.json()
    assert set(body) == {"leaderboard", "totalUsers", "lastUpdated"}
    native = top_of(board)
    names = ("userId", "username", "score", "rank")
    assert body["leaderboard"] == [{name: row[name] for name in names} for row in native["entries"]]
    assert {best[0], best[1]} <= {row["userId"] for row in top_of(board, limit=100)["entries"]}
    assert body["totalUsers"] == native["totalUsers"]
    assert datetime.fromisoformat(body["lastUpdated"]).utcoffset().total_seconds() == 0
    assert caller.http.get(READ).json()["userRank"] == {"rank": None, "score": 0}
    assert_scored(write(caller, str(uuid4()), INSTANT), 3)
    place = caller.http.get(f"/api/v1/boards/global/users/{caller.user_id}").json()
    told = caller.http.get(READ).json()
    assert set(told) == set(body) | {"userRank"}
    assert told["userRank"] == {"rank": place["rank"], "score": 3}


def test_a_bad_token_is_refused_on_the_open_route_too(board: LaurelProcess) -> None:
    with player(board) as somebody, Caller(board.urls[0], f"{somebody.token}x") as forger:
        assert_coded(forger.http.get(READ), 401, "token_invalid")
        assert_coded(forger.http.post(READ), 405, "invalid_request")
