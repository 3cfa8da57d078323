"""Accounts, tickets and every refusal, over HTTP."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from models import catalogue
from models.catalogue import Action
from models.database import Database
from models.ids import ActionId
from tests.caller import Caller, assert_problem, player
from tests.laurel_process import LaurelProcess, until

REDEEM = "/api/v1/tickets/redeem"
ISSUE = "/api/v1/tickets"
LEEWAY_SECONDS = 5.2
"""The leeway at expiry and a little for the clocks."""


def action(name: str, **rules: Any) -> Action:
    return Action(action_id=ActionId(f"t-{name}"), title=name, **({"points": 7, "overlap": "allow"} | rules))


ACTIONS = [
    action("plain"),
    action("brief", max_seconds=1),
    action("slow", min_seconds=30),
    action("rested", cooldown_seconds=600),
    action("daily", daily_limit=2),
    action("alone", overlap="forbid"),
    action("proven", proof="always"),
    action("now", ticket="instant", max_seconds=60),
    action("now-and-then", ticket="instant", cooldown_seconds=600),
    action("switched"),
    action("nothing", points=0),
]


def save(laurel: LaurelProcess, actions: list[Action]) -> None:
    """Changes the catalogue and waits until every pod knows."""

    async def write() -> None:
        database = Database(laurel.config()["databaseUrl"])
        await database.open()
        try:
            await catalogue.save(database, actions)
        finally:
            await database.close()

    asyncio.run(write())
    expected = {one.action_id: one.points for one in actions if one.enabled}
    absent = {one.action_id for one in actions if not one.enabled}
    for url in laurel.urls:
        with Caller(url) as nobody:

            def known(nobody: Caller = nobody) -> bool:
                shown = nobody.http.get("/api/v1/actions").json()["actions"]
                points = {one["actionId"]: one["points"] for one in shown}
                return expected.items() <= points.items() and not absent & points.keys()

            until(known, 15)


@pytest.fixture(scope="module", autouse=True)
def actions(laurel: LaurelProcess) -> Iterator[None]:
    """Actions of this file, switched off again at its end."""
    save(laurel, ACTIONS)
    yield
    save(laurel, [action(one.title, enabled=False) for one in ACTIONS])


@pytest.fixture
def caller(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel) as found:
        yield found


def score_of(caller: Caller) -> tuple[int, int]:
    own = caller.http.get("/api/v1/me").json()
    return own["score"], own["userVersion"]


def test_an_account_is_made_and_logged_into(laurel: LaurelProcess):
    name = f"Ann_{uuid4().hex[:12]}"
    body = {"username": name, "password": "correct horse", "displayName": "Ann ✿", "region": "north"}
    with Caller(laurel.urls[0]) as nobody:
        made = nobody.post("/api/v1/auth/register", body)
        assert made.status_code == 201
        assert made.headers["cache-control"] == "no-store"
        user = made.json()["user"]
        assert user == {
            "userId": user["userId"],
            "username": name,
            "displayName": "Ann ✿",
            "avatarUrl": None,
            "region": "north",
            "role": "player",
        }
        taken = nobody.post("/api/v1/auth/register", body | {"username": name.upper()})
        assert_problem(taken, 409, "conflict")
        for username in (name, name.lower(), name.upper()):
            told = nobody.post("/api/v1/auth/login", {"username": username, "password": "correct horse"})
            assert told.status_code == 200
            assert told.json()["user"] == user
            assert told.json()["tokenType"] == "Bearer"
        for wrong in ({"username": name, "password": "correct house"}, {"username": "nobody!", "password": "x"}):
            assert_problem(nobody.post("/api/v1/auth/login", wrong), 401, "login_failed")
    with Caller(laurel.urls[1], told.json()["accessToken"]) as found:
        assert found.http.get("/api/v1/me").json()["userId"] == user["userId"]


def test_two_registrations_of_one_name_at_once_make_one(laurel: LaurelProcess):
    body = {"username": f"twin{uuid4().hex[:12]}", "password": "correct horse"}
    with ThreadPoolExecutor(6) as pool:
        callers = [Caller(url) for url in laurel.urls * 2]
        answers = list(pool.map(lambda nobody: nobody.post("/api/v1/auth/register", body), callers))
    for nobody in callers:
        nobody.http.close()
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5


def test_a_ticket_is_redeemed_once_and_replayed_everywhere(laurel: LaurelProcess, caller: Caller):
    issued = caller.issue("t-plain", build="1.0")
    assert set(issued) == {"ticket", "ticketId", "actionId", "points", "issuedAt", "redeemableAt", "expiresAt"}
    assert UUID(issued["ticketId"]).version == 7
    first = caller.redeem(issued["ticket"]).json()
    position = first.pop("leaderboardPosition")
    assert position is None or position >= 1
    assert first == {
        "success": True,
        "replayed": False,
        "ticketId": issued["ticketId"],
        "actionId": "t-plain",
        "change": 7,
        "newScore": 7,
        "userVersion": 1,
    }
    for url in laurel.urls:
        with caller.at(url) as there:
            again = there.redeem(issued["ticket"]).json()
            again.pop("leaderboardPosition")
            assert again == first | {"replayed": True}
            by_id = there.post(REDEEM, {"ticketId": issued["ticketId"].upper()}).json()
            assert (by_id["replayed"], by_id["newScore"]) == (True, 7)
    assert score_of(caller) == (7, 1)


def test_an_entry_of_no_points_counts_too(caller: Caller):
    answer = caller.redeem(caller.issue("t-nothing")["ticket"]).json()
    assert (answer["change"], answer["newScore"], answer["userVersion"]) == (0, 0, 1)


def test_another_players_ticket_is_refused(laurel: LaurelProcess, caller: Caller):
    with player(laurel) as other:
        ticket = other.issue("t-plain", hold=True)
        assert_problem(caller.redeem(ticket["ticket"]), 403, "ticket_not_yours")
        assert_problem(caller.post(REDEEM, {"ticketId": ticket["ticketId"]}), 403, "ticket_not_yours")
        assert other.redeem(ticket["ticket"]).status_code == 200
        assert_problem(caller.redeem(ticket["ticket"]), 403, "ticket_not_yours")
        assert_problem(caller.post(REDEEM, {"ticketId": ticket["ticketId"]}), 403, "ticket_not_yours")
    assert score_of(caller) == (0, 0)


def test_a_held_ticket_is_redeemed_by_its_id(laurel: LaurelProcess, caller: Caller):
    held = caller.issue("t-plain", hold=True)
    with caller.at(laurel.urls[1]) as there:
        first = there.post(REDEEM, {"ticketId": held["ticketId"]}).json()
    assert (first["replayed"], first["newScore"]) == (False, 7)
    assert caller.redeem(held["ticket"]).json()["replayed"] is True
    not_held = caller.issue("t-plain")
    assert_problem(caller.post(REDEEM, {"ticketId": not_held["ticketId"]}), 404, "not_found")


def test_what_is_no_redemption_is_no_ticket(laurel: LaurelProcess, caller: Caller):
    with Caller(laurel.urls[0], laurel.mint_admin()[1]) as admin:
        admin.post(f"/api/v1/admin/users/{caller.user_id}/score", {"score": 5, "reason": "r"}).raise_for_status()
    (entry,) = caller.http.get("/api/v1/me/history").json()["entries"]
    assert entry["kind"] == "adjust"
    assert_problem(caller.post(REDEEM, {"ticketId": entry["entryId"]}), 404, "not_found")
    answer = caller.post("/api/action/do", {"actionId": entry["entryId"]})
    assert (answer.status_code, answer.json()["error"]) == (404, "action_unknown")


def test_a_brief_ticket_expires_and_a_spent_one_is_still_replayed(caller: Caller):
    spent, late = caller.issue("t-brief"), caller.issue("t-brief")
    assert caller.redeem(spent["ticket"]).json()["replayed"] is False
    expiry = datetime.fromisoformat(late["expiresAt"]).timestamp()
    until(lambda: time.time() > expiry + LEEWAY_SECONDS, 20)
    body = assert_problem(caller.redeem(late["ticket"]), 409, "ticket_expired")
    assert body["expiredMs"] > LEEWAY_SECONDS * 1000
    assert caller.redeem(spent["ticket"]).json()["replayed"] is True
    assert score_of(caller) == (7, 1)


def test_too_early_says_how_long_to_wait(caller: Caller):
    ticket = caller.issue("t-slow")["ticket"]
    body = assert_problem(caller.redeem(ticket), 409, "ticket_too_early")
    assert 0 < body["waitMs"] <= 30_000


def test_a_cooldown_refuses_the_next_and_replays_the_last(laurel: LaurelProcess, caller: Caller):
    first, second = caller.issue("t-rested")["ticket"], caller.issue("t-rested")["ticket"]
    assert caller.redeem(first).status_code == 200
    with caller.at(laurel.urls[1]) as there:
        body = assert_problem(there.redeem(second), 409, "cooldown")
        assert 590_000 < body["waitMs"] <= 600_000
        assert there.redeem(first).json()["replayed"] is True
    assert score_of(caller) == (7, 1)


def test_the_daily_limit_holds_on_all_pods(laurel: LaurelProcess):
    today = None
    while today != datetime.now(UTC).date():  # at midnight UTC once more: the third would be the first of its day
        today, codes = datetime.now(UTC).date(), []
        with player(laurel) as caller:
            for url in laurel.urls:
                with caller.at(url) as there:
                    answer = there.redeem(there.issue("t-daily")["ticket"])
                    codes.append(answer.json().get("code"))
            score = score_of(caller)
    assert codes == [None, None, "daily_limit"]
    assert score == (14, 2)


def test_a_stockpile_yields_one(laurel: LaurelProcess, caller: Caller):
    tickets = [caller.issue("t-alone")["ticket"] for _ in range(6)]
    answers = []
    for number, ticket in enumerate(tickets):
        with caller.at(laurel.urls[number % 3]) as there:
            answers.append(there.redeem(ticket))
    assert [answer.status_code for answer in answers] == [200] + [409] * 5
    assert {answer.json()["code"] for answer in answers[1:]} == {"ticket_overlaps"}
    assert score_of(caller) == (7, 1)
    assert caller.redeem(caller.issue("t-alone")["ticket"]).status_code == 200


def test_a_proof_is_asked_for(caller: Caller):
    body = assert_problem(caller.post(ISSUE, {"actionId": "t-proven"}), 403, "proof_required")
    assert (body["actionId"], body["reason"]) == ("t-proven", "missing")


def test_a_switched_off_action_refuses_issued_tickets_but_replays_spent_ones(laurel: LaurelProcess, caller: Caller):
    spent, kept = caller.issue("t-switched")["ticket"], caller.issue("t-switched")["ticket"]
    assert caller.redeem(spent).status_code == 200
    save(laurel, [action("switched", enabled=False)])
    assert_problem(caller.post(ISSUE, {"actionId": "t-switched"}), 409, "action_disabled")
    assert_problem(caller.redeem(kept), 409, "action_disabled")
    assert caller.redeem(spent).json()["replayed"] is True
    save(laurel, [action("switched", points=9)])
    assert caller.redeem(kept).json()["change"] == 7
    assert caller.redeem(caller.issue("t-switched")["ticket"]).json()["change"] == 9


def test_an_instant_action_without_a_key_counts_each_time(caller: Caller):
    answers = [caller.post(REDEEM, {"actionId": "t-now"}).json() for _ in range(2)]
    assert [answer["newScore"] for answer in answers] == [7, 14]
    assert answers[0]["ticketId"] != answers[1]["ticketId"]


def test_an_instant_action_with_a_key_counts_once(laurel: LaurelProcess, caller: Caller):
    answers = []
    for url in laurel.urls:
        with caller.at(url) as there:
            answers.append(there.post(REDEEM, {"actionId": "t-now"}, Idempotency_Key="one").json())
    assert [answer["replayed"] for answer in answers] == [False, True, True]
    assert {answer["ticketId"] for answer in answers} == {answers[0]["ticketId"]}
    other = caller.post(REDEEM, {"actionId": "t-now-and-then"}, Idempotency_Key="one")
    assert_problem(other, 409, "conflict")
    assert score_of(caller) == (7, 1)
    with player(laurel) as somebody:
        answer = somebody.post(REDEEM, {"actionId": "t-now"}, Idempotency_Key="one").json()
        assert (answer["replayed"], answer["newScore"]) == (False, 7)


def test_an_instant_action_has_its_cooldown_and_its_replay(caller: Caller):
    body = {"actionId": "t-now-and-then"}
    assert caller.post(REDEEM, body, Idempotency_Key="a").status_code == 200
    assert_problem(caller.post(REDEEM, body, Idempotency_Key="b"), 409, "cooldown")
    assert_problem(caller.post(REDEEM, body), 409, "cooldown")
    assert caller.post(REDEEM, body, Idempotency_Key="a").json()["replayed"] is True


def test_an_action_with_duration_is_not_instant(caller: Caller):
    assert_problem(caller.post(REDEEM, {"actionId": "t-plain"}), 409, "conflict")
    assert_problem(caller.post(REDEEM, {"actionId": "t-plain"}, Idempotency_Key="a"), 409, "conflict")


def test_an_action_that_is_instant_no_more_replays_what_was(laurel: LaurelProcess, caller: Caller):
    body = {"actionId": "t-once-instant"}
    save(laurel, [action("once-instant", ticket="instant")])
    first = caller.post(REDEEM, body, Idempotency_Key="a").json()
    save(laurel, [action("once-instant", points=8)])
    assert_problem(caller.post(REDEEM, body, Idempotency_Key="b"), 409, "conflict")
    assert caller.post(REDEEM, body, Idempotency_Key="a").json() == {**first, "replayed": True}


def test_the_place_on_the_board_is_that_of_the_score(laurel: LaurelProcess, caller: Caller):
    caller.redeem(caller.issue("t-plain")["ticket"])

    def placed() -> dict[str, Any] | None:
        answer = caller.http.get(f"{laurel.urls[2]}/api/v1/boards/global/users/{caller.user_id}")
        return answer.json() if answer.status_code == 200 else None

    place = until(placed, 10)
    assert (place["score"], place["boardId"], place["period"]) == (7, "global", "all")
    assert 1 <= place["rank"] <= place["totalUsers"]
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = caller.http.get(f"/api/v1/boards/global/top?limit=100&cursor={cursor}".removesuffix("&cursor=")).json()
        rows += page["entries"]
        cursor = page["next"]
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["userId"] for row in rows if row["rank"] == place["rank"]] == [caller.user_id]
