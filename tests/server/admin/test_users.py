"""Players looked through and banned, effective on every pod within a second."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.caller import Caller, assert_problem, fetch, player
from tests.laurel_process import LaurelProcess, until

USERS = "/api/v1/admin/users"
SOON = 2.0
"""A second, and what a busy machine adds."""


@pytest.fixture
def subject(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel) as made:
        yield made


def kinds(laurel: LaurelProcess, user_id: str) -> list[str]:
    statement = "SELECT kind FROM ledger WHERE user_id = $1::text::uuid ORDER BY user_version"
    return [row["kind"] for row in asyncio.run(fetch(laurel.config()["databaseUrl"], statement, user_id))]


def rank(url: str, user_id: str) -> int | None:
    with Caller(url) as nobody:
        answer = nobody.http.get(f"/api/v1/boards/global/users/{user_id}")
    return answer.json()["rank"] if answer.status_code == 200 else None


def refused(caller: Caller, url: str) -> bool:
    with caller.at(url) as there:
        answer = there.post("/api/v1/tickets", {"actionId": "sprint"})
    return answer.status_code == 403 and answer.json()["code"] == "player_banned"


def everybody(admin: Caller, **asked: Any) -> list[dict[str, Any]]:
    """All pages of a search."""
    found, cursor = [], None
    while True:
        page = admin.http.get(USERS, params=asked | ({"cursor": cursor} if cursor else {})).json()
        found += page["entries"]
        cursor = page["next"]
        if cursor is None:
            return found


def test_players_are_found_by_the_beginning_of_their_names(laurel: LaurelProcess, admin: Caller):
    mark = uuid4().hex[:10]
    names = [f"{mark}{tail}" for tail in ("", "-a", "-B", ".c", "_d", "Z", "z9")]
    with Caller(laurel.urls[0]) as nobody:
        for name in [*names, f"x{mark}"]:
            made = nobody.post("/api/v1/auth/register", {"username": name, "password": "correct horse"})
            assert made.status_code == 201
    expected = sorted(names, key=str.lower)
    assert [entry["username"] for entry in everybody(admin, name=mark.upper())] == expected
    assert [entry["username"] for entry in everybody(admin, name=mark, limit=2)] == expected
    assert [entry["username"] for entry in everybody(admin, name=f"{mark}z")] == [f"{mark}Z", f"{mark}z9"]
    assert everybody(admin, name=f"{mark}%") == []
    one = everybody(admin, name=f"{mark}-a")[0]
    assert (one["role"], one["score"], one["banned"], one["bannedUntil"]) == ("player", 0, False, None)
    assert admin.http.get(f"{USERS}/{one['userId']}").json() == one
    assert "password" not in str(one).lower()
    admin.http.put(f"{USERS}/{one['userId']}/ban", json={"reason": "r"})
    assert [entry["userId"] for entry in everybody(admin, name=mark, banned="true", limit=1)] == [one["userId"]]
    assert len(everybody(admin, name=mark, banned="false", limit=3)) == len(names) - 1


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "x"},
        {"banned": "yes"},
        {"cursor": "!"},
        {"cursor": "eA"},
        {"name": "x" * 65},
    ],
)
def test_a_search_that_is_not_well_formed(admin: Caller, asked: dict[str, str]):
    assert_problem(admin.http.get(USERS, params=asked), 400, "invalid_request")


@pytest.mark.alone
def test_a_ban_hides_and_refuses_on_every_pod_and_its_end_restores(
    laurel: LaurelProcess, admin: Caller, subject: Caller
):
    ban, spent = f"{USERS}/{subject.user_id}/ban", subject.issue("sprint")["ticket"]
    assert subject.redeem(spent).status_code == 200
    kept = subject.issue("sprint")["ticket"]
    before = rank(laurel.urls[0], subject.user_id)
    assert before is not None
    told = admin.http.put(ban, json={"reason": "cheated"})
    assert told.status_code == 200
    assert (told.json()["reason"], told.json()["until"], told.json()["caller"]) == ("cheated", None, admin.user_id)
    for url in laurel.urls:
        with subject.at(url) as there:
            assert_problem(there.redeem(kept), 403, "player_banned")
            assert there.redeem(spent).json()["replayed"] is True
            assert there.http.get("/api/v1/me").status_code == 200
            assert there.http.get("/api/v1/me/history").status_code == 200
        until(lambda url=url: rank(url, subject.user_id) is None, SOON)
        until(lambda url=url: refused(subject, url), SOON)
    assert admin.http.get(f"{USERS}/{subject.user_id}").json()["banned"] is True
    assert admin.http.delete(ban).status_code == 204
    assert admin.http.delete(ban).status_code == 204
    for url in laurel.urls:
        until(lambda url=url: rank(url, subject.user_id) == before, SOON)
        until(lambda url=url: not refused(subject, url), SOON)
    assert subject.redeem(kept).status_code == 200
    assert kinds(laurel, subject.user_id) == ["redeem", "ban", "unban", "redeem"]


def test_a_ban_that_ends_is_taken_back_by_one_pod(laurel: LaurelProcess, admin: Caller, subject: Caller):
    subject.redeem(subject.issue("sprint")["ticket"])
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2, milliseconds=7)
    told = admin.http.put(f"{USERS}/{subject.user_id}/ban", json={"reason": "r", "until": end.isoformat()}).json()
    assert told["until"] == end.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    until(lambda: rank(laurel.urls[1], subject.user_id) is not None, 10)
    assert kinds(laurel, subject.user_id) == ["redeem", "ban", "unban"]


def test_a_ban_with_a_key_happens_once(laurel: LaurelProcess, admins: list[Caller], subject: Caller):
    path, key = f"{USERS}/{subject.user_id}/ban", {"Idempotency-Key": str(uuid4())}
    first = admins[0].http.put(path, json={"reason": "r"}, headers=key).json()
    again = admins[1].http.put(path, json={"reason": "r"}, headers=key).json()
    assert (first["entryId"], first["replayed"], again["replayed"]) == (again["entryId"], False, True)
    assert_problem(admins[2].http.put(path, json={"reason": "s"}, headers=key), 409, "conflict")
    assert kinds(laurel, subject.user_id) == ["ban"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid_request"),
        ({"reason": ""}, 400, "invalid_request"),
        ({"reason": "r", "until": "tomorrow"}, 400, "invalid_request"),
        ({"reason": "r", "until": "2030-01-01T00:00:00"}, 400, "invalid_request"),
        ({"reason": "r", "until": 1_900_000_000}, 400, "invalid_request"),
        ({"reason": "r", "caller": "me"}, 400, "invalid_request"),
        ({"reason": "r", "until": "2020-01-01T00:00:00Z"}, 409, "conflict"),
        ({"reason": "r", "until": "0001-01-01T00:00:00+14:00"}, 409, "conflict"),
    ],
)
def test_a_bad_ban_changes_nothing(
    laurel: LaurelProcess, admin: Caller, subject: Caller, body: Any, status: int, code: str
):
    assert_problem(admin.http.put(f"{USERS}/{subject.user_id}/ban", json=body), status, code)
    assert kinds(laurel, subject.user_id) == []


def test_nobody_unknown_is_banned(admin: Caller):
    for unknown in (str(uuid4()), "x"):
        assert_problem(admin.http.put(f"{USERS}/{unknown}/ban", json={"reason": "r"}), 404, "not_found")
        assert_problem(admin.http.delete(f"{USERS}/{unknown}/ban"), 404, "not_found")
        assert_problem(admin.http.get(f"{USERS}/{unknown}"), 404, "not_found")
