"""A score created, read, set, moved and taken away; each write is one entry, whatever is repeated."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from models.entry import MAX_SCORE
from tests.caller import Caller, assert_problem, fetch, player
from tests.e2e.viewer import watching
from tests.laurel_process import LaurelProcess, until


@pytest.fixture
def subject(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel) as made:
        yield made


def path(user_id: str) -> str:
    return f"/api/v1/admin/users/{user_id}/score"


def write(admin: Caller, method: str, user_id: str, body: Any, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return admin.http.request(method, path(user_id), json=body, headers=headers)


def entries(laurel: LaurelProcess, user_id: str) -> list[dict[str, Any]]:
    statement = """SELECT kind, delta, score_after, caller, meta->>'reason' AS reason FROM ledger
                   WHERE user_id = $1::text::uuid ORDER BY user_version"""
    return asyncio.run(fetch(laurel.config()["databaseUrl"], statement, user_id))


def test_each_write_is_one_entry_with_actor_reason_old_and_new(laurel: LaurelProcess, admin: Caller, subject: Caller):
    user_id = subject.user_id
    assert_problem(admin.http.get(path(user_id)), 404, "not_found")
    steps = [
        ("POST", {"score": 100, "reason": "created"}, 201, 0, 100),
        ("PUT", {"score": 70, "reason": "set"}, 200, 100, 70),
        ("PATCH", {"change": -95, "reason": "moved"}, 200, 70, -25),
        ("PATCH", {"change": 0, "reason": "moved by nothing"}, 200, -25, -25),
        ("DELETE", {"reason": "taken away"}, 200, -25, 0),
    ]
    for number, (method, body, status, old, new) in enumerate(steps, 1):
        answer = write(admin, method, user_id, body)
        assert answer.status_code == status, answer.text
        told = answer.json()
        assert (told["oldScore"], told["newScore"], told["change"]) == (old, new, new - old)
        assert (told["kind"], told["userId"], told["caller"], told["reason"]) == (
            "adjust",
            user_id,
            admin.user_id,
            body["reason"],
        )
        assert (told["userVersion"], told["replayed"]) == (number, False)
        shown = admin.http.get(path(user_id)).json()
        assert (shown["userId"], shown["score"], shown["userVersion"]) == (user_id, new, number)
    assert entries(laurel, user_id) == [
        {"kind": "adjust", "delta": new - old, "score_after": new, "caller": admin.user_id, "reason": body["reason"]}
        for _, body, _, old, new in steps
    ]


def test_a_score_that_exists_is_not_created_again(admin: Caller, subject: Caller):
    assert_problem(write(admin, "DELETE", subject.user_id, {"reason": "r"}), 404, "not_found")
    subject.redeem(subject.issue("sprint")["ticket"])
    assert_problem(write(admin, "POST", subject.user_id, {"score": 1, "reason": "r"}), 409, "conflict")
    assert write(admin, "DELETE", subject.user_id, {"reason": "r"}).json()["newScore"] == 0
    assert_problem(write(admin, "POST", subject.user_id, {"score": 1, "reason": "r"}), 409, "conflict")
    assert write(admin, "PUT", subject.user_id, {"score": 5, "reason": "r"}).json()["change"] == 5


def test_a_score_whose_only_entry_was_voided_exists_no_more(admin: Caller, subject: Caller):
    first = write(admin, "POST", subject.user_id, {"score": 9, "reason": "r"}).json()
    admin.post(f"/api/v1/admin/entries/{first['entryId']}/void", {"reason": "no"})
    assert_problem(admin.http.get(path(subject.user_id)), 404, "not_found")
    assert write(admin, "POST", subject.user_id, {"score": 4, "reason": "r"}).status_code == 201


def test_many_set_at_once_and_every_entry_fits(laurel: LaurelProcess, admins: list[Caller], subject: Caller):
    """What a set moves a score by is decided on the present score, on whichever pod."""
    tickets = [subject.issue("sprint")["ticket"] for _ in range(10)]
    with ThreadPoolExecutor(8) as pool:
        work: list[Callable[[], httpx.Response]] = [
            lambda n=n: write(admins[n % 3], "PUT", subject.user_id, {"score": n, "reason": f"n{n}"}) for n in range(30)
        ]
        work += [lambda ticket=ticket: subject.redeem(ticket) for ticket in tickets]
        answers = [future.result() for future in [pool.submit(job) for job in work]]
    assert {answer.status_code for answer in answers} == {200}
    recorded = entries(laurel, subject.user_id)
    assert len(recorded) == 40
    for entry in recorded:
        if entry["kind"] == "adjust":
            assert entry["score_after"] == int(entry["reason"][1:])
    assert sum(entry["delta"] for entry in recorded) == recorded[-1]["score_after"]


@pytest.mark.parametrize(
    ("method", "body", "other"),
    [
        ("POST", {"score": 3, "reason": "r"}, {"score": 4, "reason": "r"}),
        ("PUT", {"score": 3, "reason": "r"}, {"score": 3, "reason": "s"}),
        ("PATCH", {"change": 3, "reason": "r"}, {"change": 4, "reason": "r"}),
        ("DELETE", {"reason": "r"}, {"reason": "s"}),
    ],
)
def test_a_key_makes_a_write_happen_once(
    laurel: LaurelProcess, admins: list[Caller], subject: Caller, method: str, body: Any, other: Any
):
    admin, elsewhere = admins[0], admins[2]
    if method == "DELETE":
        write(admin, "PUT", subject.user_id, {"score": 8, "reason": "before"})
    before = len(entries(laurel, subject.user_id))
    key = str(uuid4())
    first = write(admin, method, subject.user_id, body, key)
    write(admin, "PATCH", subject.user_id, {"change": 50, "reason": "between"})
    for caller in (elsewhere, admin):
        again = write(caller, method, subject.user_id, body, key)
        assert again.status_code == first.status_code
        changing = {"replayed", "leaderboardPosition"}
        assert {k: v for k, v in again.json().items() if k not in changing} == {
            k: v for k, v in first.json().items() if k not in changing
        }
        assert again.json()["replayed"] is True
        assert_problem(write(caller, method, subject.user_id, other, key), 409, "conflict")
    with player(laurel) as stranger:
        assert_problem(write(admin, "PATCH", stranger.user_id, {"change": 3, "reason": "r"}, key), 409, "conflict")
        assert entries(laurel, stranger.user_id) == []
    assert len(entries(laurel, subject.user_id)) == before + 2


def test_one_key_at_every_pod_at_once_is_one_entry(laurel: LaurelProcess, admins: list[Caller], subject: Caller):
    body = {"change": 7, "reason": "r"}
    with ThreadPoolExecutor(9) as pool:
        told = list(
            pool.map(lambda n: write(admins[n % 3], "PATCH", subject.user_id, body, subject.user_id), range(18))
        )
    assert {answer.status_code for answer in told} == {200}
    assert sum(not answer.json()["replayed"] for answer in told) == 1
    assert len({answer.json()["entryId"] for answer in told}) == 1
    assert [entry["score_after"] for entry in entries(laurel, subject.user_id)] == [7]


BAD = [
    ("POST", {}),
    ("POST", {"score": "1", "reason": "r"}),
    ("POST", {"score": 1}),
    ("POST", {"score": 1.5, "reason": "r"}),
    ("POST", {"score": MAX_SCORE + 1, "reason": "r"}),
    ("POST", {"score": 1, "reason": ""}),
    ("POST", {"score": 1, "reason": "x" * 501}),
    ("POST", {"score": 1, "reason": "a\x00b"}),
    ("POST", {"score": 1, "reason": "r", "caller": "me"}),
    ("POST", {"score": 1, "reason": "r", "userVersion": 9}),
    ("PUT", {"change": 1, "reason": "r"}),
    ("PUT", {"score": -(10**30), "reason": "r"}),
    ("PATCH", {"score": 1, "reason": "r"}),
    ("PATCH", {"change": None, "reason": "r"}),
    ("PATCH", {"change": 1, "reason": "r", "entryId": str(uuid4())}),
    ("DELETE", {}),
    ("DELETE", {"reason": "r", "score": 1}),
]


@pytest.mark.parametrize(("method", "body"), BAD)
def test_a_bad_body_changes_nothing(laurel: LaurelProcess, admin: Caller, subject: Caller, method: str, body: Any):
    assert_problem(write(admin, method, subject.user_id, body), 400, "invalid_request")
    assert entries(laurel, subject.user_id) == []


def test_refusals(laurel: LaurelProcess, admin: Caller, subject: Caller):
    for unknown in (str(uuid4()), "x", "0" * 36):
        for method, body in [
            ("PUT", {"score": 1, "reason": "r"}),
            ("PATCH", {"change": 1, "reason": "r"}),
            ("DELETE", {"reason": "r"}),
        ]:
            assert_problem(write(admin, method, unknown, body), 404, "not_found")
        assert_problem(admin.http.get(path(unknown)), 404, "not_found")
    write(admin, "POST", subject.user_id, {"score": MAX_SCORE, "reason": "r"})
    assert_problem(write(admin, "PATCH", subject.user_id, {"change": 1, "reason": "r"}), 409, "conflict")
    assert_problem(
        write(admin, "PATCH", subject.user_id, {"change": 1, "reason": "r"}, "x" * 201), 400, "invalid_request"
    )
    assert write(admin, "DELETE", subject.user_id, {"reason": "back"}).status_code == 200
    assert len(entries(laurel, subject.user_id)) == 2


async def test_a_score_is_on_every_screen_at_once(laurel: LaurelProcess, admin: Caller, subject: Caller):
    async with watching(laurel.urls[1]) as first, watching(laurel.urls[2], token=subject.token) as last:
        score = 8_000_000_000_000_000
        await asyncio.to_thread(write, admin, "PUT", subject.user_id, {"score": score, "reason": "r"})
        expected = (subject.user_id, score)
        await asyncio.to_thread(until, lambda: expected in first.top and expected in last.top, 3)
        await asyncio.to_thread(until, lambda: any(f["type"] == "user.scoreUpdate" for f in last.personal), 3)
        await asyncio.to_thread(write, admin, "DELETE", subject.user_id, {"reason": "r"})
        await asyncio.to_thread(until, lambda: expected not in first.top and expected not in last.top, 3)
