"""The ledger searched in pages, and entries voided."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.caller import Caller, assert_problem, player
from tests.laurel_process import LaurelProcess

LEDGER = "/api/v1/admin/ledger"


@pytest.fixture(scope="module")
def history(laurel: LaurelProcess, admin: Caller) -> Iterator[tuple[Caller, list[dict[str, Any]]]]:
    """A player and their entries, oldest first."""
    with player(laurel) as made:
        for _ in range(3):
            made.redeem(made.issue("sprint")["ticket"])
        score = f"/api/v1/admin/users/{made.user_id}/score"
        for change in (5, -3):
            admin.http.patch(score, json={"change": change, "reason": f"by {change}"})
        admin.http.put(f"/api/v1/admin/users/{made.user_id}/ban", json={"reason": "r"})
        admin.http.delete(f"/api/v1/admin/users/{made.user_id}/ban")
        yield made, list(reversed(pages(admin, userId=made.user_id)))


def pages(admin: Caller, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = admin.http.get(LEDGER, params=asked | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["entries"]
        cursor = page["next"]
        if cursor is None:
            return found


def test_entries_say_everything(history: tuple[Caller, list[dict[str, Any]]], admin: Caller):
    made, entries = history
    assert [entry["kind"] for entry in entries] == ["redeem"] * 3 + ["adjust", "adjust", "ban", "unban"]
    assert [entry["userVersion"] for entry in entries] == list(range(1, 8))
    adjusted = entries[4]
    assert (adjusted["change"], adjusted["oldScore"], adjusted["newScore"]) == (-3, 35, 32)
    assert (adjusted["reason"], adjusted["caller"], adjusted["userId"]) == ("by -3", admin.user_id, made.user_id)
    assert (entries[0]["actionId"], entries[0]["caller"], entries[0]["voided"]) == ("sprint", None, False)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_every_way_of_asking_gives_the_same_in_pages(
    history: tuple[Caller, list[dict[str, Any]]], admin: Caller, limit: int
):
    made, entries = history
    newest = entries[::-1]
    assert pages(admin, userId=made.user_id, limit=limit) == newest
    first, last = entries[0]["at"], entries[-1]["at"]
    of_time = [
        entry
        for entry in pages(admin, limit=limit, **{"from": first, "to": after(last)})
        if entry["userId"] == made.user_id
    ]
    assert [entry["entryId"] for entry in of_time] == [
        entry["entryId"] for entry in sorted(newest, key=newest_first, reverse=True)
    ]
    for kind in ("redeem", "adjust", "ban"):
        expected = [entry for entry in newest if entry["kind"] == kind]
        assert pages(admin, userId=made.user_id, kind=kind, limit=limit) == expected
        everywhere = pages(admin, kind=kind, limit=limit, **{"from": first})
        assert {entry["kind"] for entry in everywhere} == {kind}
        assert {entry["entryId"] for entry in expected} <= {entry["entryId"] for entry in everywhere}
    assert len(pages(admin, userId=made.user_id, actionId="sprint", limit=limit)) == 3
    assert pages(admin, userId=made.user_id, to=first, limit=limit) == []
    assert pages(admin, **{"from": after(last), "to": first}) == []


def newest_first(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["at"], entry["entryId"]


def after(moment: str) -> str:
    """A little later, within the same millisecond."""
    return f"{moment[:-1]}001Z"


@pytest.mark.parametrize(
    "asked",
    [
        {"userId": "x"},
        {"actionId": "X!"},
        {"kind": "gift"},
        {"from": "yesterday"},
        {"to": "2026-01-01"},
        {"limit": "101"},
        {"cursor": "x"},
        {"cursor": "WzEsInkiLDFd"},
        {"cursor": "Wy0xLCIwMDAwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDAiLDFd"},
    ],
)
def test_a_question_that_is_not_well_formed(admin: Caller, asked: dict[str, str]):
    assert_problem(admin.http.get(LEDGER, params=asked), 400, "invalid_request")


def void(admin: Caller, entry_id: str, reason: str = "unfair") -> Any:
    return admin.post(f"/api/v1/admin/entries/{entry_id}/void", {"reason": reason})


def test_a_void_reverses_once_and_says_so_everywhere(laurel: LaurelProcess, admins: list[Caller]):
    with player(laurel) as made:
        ticket = made.issue("sprint")["ticket"]
        target = made.redeem(ticket).json()["ticketId"]
        first = void(admins[0], target)
        assert first.status_code == 200
        told = first.json()
        assert (told["kind"], told["change"], told["newScore"], told["targetId"]) == ("void", -10, 0, target)
        assert told["reason"] == "unfair"
        for admin in admins:
            assert void(admin, target, "another reason").json() == told
        assert made.redeem(ticket).json()["voided"] is True
        newest, oldest = pages(admins[0], userId=made.user_id)
        assert (newest["voided"], oldest["voided"]) == (False, True)
        assert_problem(void(admins[0], told["entryId"]), 409, "conflict")
        assert made.http.get(f"/api/v1/boards/global/users/{made.user_id}").status_code == 404


def test_what_cannot_be_voided(admin: Caller, history: tuple[Caller, list[dict[str, Any]]]):
    for unknown in (str(uuid4()), "x"):
        assert_problem(void(admin, unknown), 404, "not_found")
    banned = next(entry for entry in history[1] if entry["kind"] == "ban")
    assert_problem(void(admin, banned["entryId"]), 409, "conflict")
    assert_problem(admin.post(f"/api/v1/admin/entries/{banned['entryId']}/void", {}), 400, "invalid_request")


def test_the_chain_holds_after_all_of_it(laurel: LaurelProcess, history: tuple[Caller, list[dict[str, Any]]]):
    assert "hold together" in laurel.run("audit", "verify", "--user", history[0].user_id)


@pytest.mark.parametrize("more", [{}, {"userId": "00000000-0000-0000-0000-000000000000"}, {"kind": "ban"}])
def test_times_older_than_every_entry(admin: Caller, more: dict[str, str]):
    first = "0001-01-01T00:00:00+01:01"
    assert admin.http.get(LEDGER, params=more | {"to": first}).json() == {"entries": [], "next": None}
    assert admin.http.get(LEDGER, params=more | {"from": first}).status_code == 200


@pytest.mark.parametrize("last", ["9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59-23:59", "3000-01-01T00:00:00Z"])
def test_times_younger_than_every_entry(history: tuple[Caller, list[dict[str, Any]]], admin: Caller, last: str):
    made, entries = history
    assert pages(admin, userId=made.user_id, to=last) == entries[::-1]
    for more in ({"userId": made.user_id}, {"kind": "ban"}, {}):
        assert admin.http.get(LEDGER, params=more | {"from": last}).json() == {"entries": [], "next": None}
    # What nobody can have done yet is not searched.
    assert admin.http.get(LEDGER, params={"to": last, "limit": 1}).json()["entries"]
