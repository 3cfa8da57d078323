"""Dialect C: `POST /api/v1/score/update` with `timestamp`, `GET /api/v1/leaderboard` in pages."""

import json
import time
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.caller import Caller, minted, player, signing_key
from tests.contract.frontend import (
    INSTANT,
    PAUSED,
    TIMED,
    entries_of,
    everywhere,
    malformed,
    refused_ids,
    scored,
    send,
    top_of,
)
from tests.laurel_process import LaurelProcess

PATH = "/api/v1/score/update"
READ = "/api/v1/leaderboard"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def write(caller: Caller, action_id: str, timestamp: int | None = None) -> httpx.Response:
    body = {"actionId": action_id, "timestamp": now_ms() if timestamp is None else timestamp}
    return send(caller, "POST", PATH, json.dumps(body).encode())


def assert_scored(answer: httpx.Response, caller: Caller, score: int) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    assert answer.json() == {"status": "success", "userId": caller.user_id, "newScore": score}


def assert_refused(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"status", "error"}
    assert body["status"] == "error"
    assert " " in body["error"]
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_tickets_count_and_the_time_is_recorded(board: LaurelProcess, caller: Caller) -> None:
    ticket, held = caller.issue(TIMED), caller.issue(TIMED, hold=True)
    told = now_ms() + 1_000
    assert_scored(write(caller, ticket["ticket"], told), caller, 7)
    assert_scored(write(caller, held["ticketId"], told // 1000), caller, 14)
    assert_scored(write(caller, PAUSED, told), caller, 19)
    with caller.at(board.urls[1]) as there:
        # A spent ticket gets its result whenever it is sent again.
        assert_scored(write(there, ticket["ticketId"], told - 3_600_000), caller, 7)
        assert_scored(write(there, ticket["ticket"], 0), caller, 7)
        assert_scored(write(there, held["ticketId"], told), caller, 14)
    recorded = [entry["meta"]["clientAt"] for entry in entries_of(board, caller.user_id)]
    assert recorded == [told, told // 1000 * 1000, told]


def test_the_time_is_near_now_and_not_before_the_ticket(board: LaurelProcess, caller: Caller) -> None:
    held = caller.issue(TIMED, hold=True)
    issued = round(datetime.fromisoformat(held["issuedAt"]).timestamp() * 1000)
    for wrong in (issued - 1, issued // 1000 - 1, issued + 330_000, issued // 1000 + 330, 0, -1, 10**30):
        for action_id in (held["ticketId"], held["ticket"]):
            assert_refused(write(caller, action_id, wrong), 409)
    for wrong in (now_ms() - 310_000, now_ms() // 1000 - 310, now_ms() + 330_000):
        assert_refused(write(caller, str(uuid4()), wrong), 409)
    assert entries_of(board, caller.user_id) == []
    assert_scored(write(caller, held["ticketId"], issued // 1000), caller, 7)
    assert_scored(write(caller, caller.issue(TIMED)["ticket"], now_ms() + 270_000), caller, 14)
    assert_scored(write(caller, str(uuid4()), now_ms() - 270_000), caller, 17)


def test_an_own_uuid_counts_once_for_the_configured_action(board: LaurelProcess, caller: Caller, other: Caller) -> None:
    own, told = str(uuid4()), now_ms()
    assert_scored(write(caller, own, told), caller, 3)
    with caller.at(board.urls[1]) as there:
        assert_scored(write(there, own.upper(), told + 5), caller, 3)
        assert_scored(write(there, own, told - 3_600_000), caller, 3)
    assert_scored(write(other, own), other, 3)
    (entry,) = entries_of(board, caller.user_id)
    assert (entry["kind"], entry["action_id"], entry["meta"]) == ("redeem", INSTANT, {"clientAt": told})


def test_an_own_uuid_sent_everywhere_at_once_counts_once(board: LaurelProcess, caller: Caller) -> None:
    own = str(uuid4())
    for answer in everywhere(board, caller, lambda one: write(one, own)):
        assert_scored(answer, caller, 3)
    assert len(entries_of(board, caller.user_id)) == 1


def test_what_is_refused_says_why_and_changes_nothing(board: LaurelProcess, caller: Caller, other: Caller) -> None:
    for what, action_id, _, status, _ in refused_ids(caller, other):
        if what not in ("unknown uuid", "not held"):  # those count as the client's own
            assert_refused(write(caller, action_id), status)
    assert entries_of(board, caller.user_id) == []


def test_without_a_configured_action_an_own_uuid_is_unknown(laurel: LaurelProcess) -> None:
    with player(laurel) as somebody:
        assert_refused(write(somebody, str(uuid4())), 404)
        assert_scored(write(somebody, somebody.issue("sprint", hold=True)["ticketId"], now_ms() + 500), somebody, 10)


def test_malformed_bodies_are_refused(board: LaurelProcess, caller: Caller) -> None:
    good = {"actionId": str(uuid4()), "timestamp": now_ms()}
    for what, body in malformed(good):
        answer = send(caller, "POST", PATH, body)
        assert answer.status_code == 400, (what, answer.text)
        assert_refused(answer, 400)
    for raw in ('"1790000000"', '"2026-10-31T00:00:00Z"', "1e400", "NaN", "-", "1790000000.5"):
        body = f'{{"actionId": "{uuid4()}", "timestamp": {raw}}}'.encode()
        assert_refused(send(caller, "POST", PATH, body), 400)
    assert_refused(send(caller, "POST", PATH, json.dumps(good).encode(), "text/plain"), 415)
    assert_refused(send(caller, "POST", PATH, b" " * 20_000 + json.dumps(good).encode()), 413)
    assert_refused(caller.http.get(PATH), 405)
    assert entries_of(board, caller.user_id) == []


def test_only_players_may_write_and_read(board: LaurelProcess, caller: Caller) -> None:
    for token in (None, "x.y.z", minted(signing_key(board), caller.user_id, iat=1, exp=2)):
        with Caller(board.urls[0], token) as somebody:
            assert_refused(write(somebody, str(uuid4())), 401)
            assert_refused(somebody.http.get(READ), 401)
    assert entries_of(board, caller.user_id) == []


def page(caller: Caller, **asked: Any) -> list[dict[str, Any]]:
    answer = caller.http.get(READ, params=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    body = answer.json()
    expected = {"page": 1, "limit": 10, "sort": "DESC"} | asked
    assert {name: body[name] for name in expected} == expected
    assert set(body) == {"leaderboard", "page", "limit", "sort"}
    assert all(set(row) == {"userId", "username", "score"} for row in body["leaderboard"])
    rows: list[dict[str, Any]] = body["leaderboard"]
    return rows


def test_pages_go_down_from_the_best_and_up_from_the_last(board: LaurelProcess, caller: Caller) -> None:
    scored(board, 6)
    for user_id, token in board.mint_tokens(3):  # equal scores: the order is still one
        with Caller(board.urls[0], token, user_id) as one:
            one.redeem(one.issue(TIMED)["ticket"])
    native = top_of(board, limit=100)
    assert native["next"] is None
    names = ("userId", "username", "score")
    down = [{name: row[name] for name in names} for row in native["entries"]]
    assert page(caller) == down[:10]
    for limit in (7, 100):
        pages = -(-len(down) // limit)
        for sort, expected in (("DESC", down), ("ASC", down[::-1])):
            found = [row for number in range(pages) for row in page(caller, page=number + 1, limit=limit, sort=sort)]
            assert found == expected
            assert page(caller, page=pages + 1, limit=limit, sort=sort) == []
    assert page(caller, page=10**15, limit=100, sort="ASC") == []


WRONG = {
    "page": ["0", "-1", "1.5", "x", "", "٣", str(10**20), "1&page=2"],
    "limit": ["0", "101", "-1", "ten", "", str(10**20)],
    "sort": ["up", "", "score", "ASC&sort=DESC"],
}


@pytest.mark.parametrize("query", [f"{name}={value}" for name, values in WRONG.items() for value in values])
def test_a_page_that_cannot_be_is_refused(caller: Caller, query: str) -> None:
    assert_refused(caller.http.get(f"{READ}?{query}"), 400)
