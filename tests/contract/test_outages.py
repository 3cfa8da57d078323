"""The five boards while Redis is empty or away, and while PostgreSQL is."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
import redis

from tests.caller import Caller, fetch
from tests.contract.frontend import INSTANT, TIMED, entries_of, scored, send, top_of
from tests.laurel_process import LaurelProcess, until


@contextmanager
def stopped(pids: Sequence[int]) -> Iterator[None]:
    """Processes that hang, as behind a broken network."""
    try:
        for pid in pids:
            _tell(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            _tell(pid, signal.SIGCONT)


def _tell(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a process, if it has not ended since it was listed."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def redis_pids(board: LaurelProcess) -> list[int]:
    return [board.config()["redisPid"]]


def postgres_pids(board: LaurelProcess) -> list[int]:
    config = board.config()
    rows = asyncio.run(fetch(config["databaseUrl"], "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()"))
    return [config["databasePid"], *(row["pid"] for row in rows)]


def read(caller: Caller, path: str) -> Any:
    answer = caller.http.get(path, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


def tops(board: LaurelProcess, caller: Caller) -> list[list[tuple[str, int]]]:
    """What A (E), B, C and D show of the top, from each pod."""
    found = []
    for url in board.urls:
        with caller.at(url) as there:
            for path, name in (
                ("/api/score/top", None),
                ("/api/leaderboard", "leaderboard"),
                ("/api/v1/leaderboard", "leaderboard"),
                ("/api/scores/top", "topScores"),
            ):
                rows = read(there, path)
                found.append([(row["userId"], row["score"]) for row in (rows if name is None else rows[name])])
    return found


def ledger_top(board: LaurelProcess) -> list[tuple[str, int]]:
    """The top ten straight from the ledger."""
    statement = """
        SELECT user_id::text, sum(delta)::int AS score FROM ledger
        GROUP BY user_id ORDER BY score DESC, max(at), user_id DESC LIMIT 10
    """
    rows = asyncio.run(fetch(board.config()["databaseUrl"], statement))
    return [(row["user_id"], row["score"]) for row in rows]


def nothing_is_degraded(board: LaurelProcess) -> None:
    """Waits until every pod shows boards from Redis."""
    until(lambda: not any(top_of(board, pod)["degraded"] for pod in range(len(board.urls))), 10)


@pytest.fixture(scope="module")
def players(board: LaurelProcess) -> list[str]:
    """Players of different scores."""
    return scored(board, 4)


@pytest.fixture
def filled(board: LaurelProcess, caller: Caller, players: list[str]) -> list[tuple[str, int]]:
    """A board that every pod shows, and what PostgreSQL has of it."""
    expected = ledger_top(board)
    assert len(expected) >= len(players)
    until(lambda: all(top == expected for top in tops(board, caller)), 10)
    nothing_is_degraded(board)  # the pods may not have noticed yet that the last test's outage is over
    database_url = board.config()["databaseUrl"]
    statement = """
        SELECT sum(score)::int AS settled, (SELECT sum(delta)::int FROM ledger) AS due
        FROM standings WHERE period = 'all'
    """

    def settled() -> bool:
        (row,) = asyncio.run(fetch(database_url, statement))
        return bool(row["settled"] == row["due"])

    until(settled, 10)
    return expected


@pytest.mark.parametrize("how", ["emptied", "expired"])
def test_without_the_cache_the_top_comes_from_the_database_and_is_cached_again(
    board: LaurelProcess, caller: Caller, filled: list[tuple[str, int]], how: str
) -> None:
    pointer = "laurel:{global/1:all}:epoch"
    with redis.Redis.from_url(board.config()["redisUrl"], decode_responses=True) as store:
        before = store.get(pointer)
        assert before
        if how == "emptied":
            store.flushall()
        else:
            for key in store.scan_iter("laurel:*"):
                store.pexpire(key, 1)
        assert all(top == filled for top in tops(board, caller))
        until(lambda: store.get(pointer) not in (None, before), 10)
    nothing_is_degraded(board)
    # Cached again: PostgreSQL is not asked.
    pids = postgres_pids(board)
    with stopped(pids):
        assert all(top == filled for top in tops(board, caller))


def test_without_redis_every_board_is_read_from_the_database(
    board: LaurelProcess, caller: Caller, filled: list[tuple[str, int]]
) -> None:
    down = read(caller, "/api/v1/leaderboard?limit=100")["leaderboard"]
    with stopped(redis_pids(board)):
        assert all(top == filled for top in tops(board, caller))
        assert read(caller, "/api/v1/leaderboard?limit=100")["leaderboard"] == down
        up = [
            row
            for page in range(-(-len(down) // 3))
            for row in read(caller, f"/api/v1/leaderboard?limit=3&sort=ASC&page={page + 1}")["leaderboard"]
        ]
        assert up == down[::-1]
        answer = caller.post("/api/scores/update", {"actionId": INSTANT, "actionType": INSTANT}).json()
        assert (answer["newScore"], answer["leaderboardPosition"]) == (3, None)
        until(lambda: read(caller, "/api/leaderboard")["userRank"]["score"] == 3, 5)


def test_without_redis_every_native_read_agrees_and_says_degraded(
    board: LaurelProcess, caller: Caller, filled: list[tuple[str, int]]
) -> None:
    path = "/api/v1/boards/global"
    users = [user_id for user_id, _ in filled]
    assert caller.http.put(f"/api/v1/me/friends/{users[1]}").status_code in (200, 204)
    whole = read(caller, f"{path}/top?limit=100")
    assert not whole["degraded"]

    def reads(there: Caller) -> list[Any]:
        asked = {"userIds": [users[2], users[0], caller.user_id]}
        subset = there.post(f"{path}/subset", asked).json()
        pages = [subset, read(there, f"{path}/friends"), read(there, f"{path}/around/{users[1]}?radius=2")]
        return [*pages, read(there, f"{path}/users/{users[1]}")]

    def shown(page: Any) -> tuple[Any, ...]:
        names = ("period", "totalUsers", "entries", "rank", "score", "percentile", "pointsToNextRank", "pointsToTop10")
        return tuple(page.get(name) for name in names)

    before = reads(caller)
    assert [page["degraded"] for page in before[:3]] == [False] * 3
    with stopped(redis_pids(board)):
        for url in board.urls:
            with caller.at(url) as there:
                found = reads(there)
                assert [shown(page) for page in found] == [shown(page) for page in before]
                assert [(page["degraded"], page["epoch"], page["version"]) for page in found[:3]] == [(True, "", 0)] * 3
                degraded = read(there, f"{path}/top?limit=100")
                assert (degraded["entries"], degraded["degraded"]) == (whole["entries"], True)
                # Read anew a second later it has the same content, whatever the time: those who poll get 304.
                answer = there.http.get(f"{path}/top", timeout=20)
                seen = answer.json()["asOf"]
                until(lambda there=there, seen=seen: read(there, f"{path}/top")["asOf"] != seen, 5)
                again = there.http.get(f"{path}/top", headers={"If-None-Match": answer.headers["etag"]}, timeout=20)
                assert again.status_code == 304
                rows, cursor = [], ""
                while cursor is not None:
                    page = read(there, f"{path}/top?limit=3" + (f"&cursor={cursor}" if cursor else ""))
                    rows += page["entries"]
                    cursor = page["next"]
                assert rows == whole["entries"]
    for url in board.urls:
        with caller.at(url) as there:
            until(lambda there=there: not any(page["degraded"] for page in reads(there)[:3]), 10)


def test_without_the_database_boards_stay_and_writes_say_try_again(
    board: LaurelProcess, caller: Caller, filled: list[tuple[str, int]]
) -> None:
    held = caller.issue(TIMED, hold=True)
    ticket = {"actionId": held["ticket"]}
    writes: list[tuple[str, str, dict[str, Any], set[str]]] = [
        ("POST", "/api/action/do", ticket, {"success", "error", "message"}),
        ("POST", "/api/scores/update", ticket | {"actionType": TIMED}, {"success", "error", "message"}),
        ("POST", "/api/v1/score/update", ticket | {"timestamp": 1}, {"status", "error"}),
        (
            "POST",
            "/api/scores/update",
            ticket | {"userId": caller.user_id, "authToken": caller.token},
            {"success", "error"},
        ),
        ("PATCH", "/api/score/update", {"actionId": held["ticketId"]}, {"success", "error", "message"}),
    ]

    async def all_at_once() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            base_url=caller.url, headers=caller.http.headers, trust_env=False, timeout=20
        ) as http:
            asked = [("GET", "/api/scores/top", None), *(write[:3] for write in writes)]
            return await asyncio.gather(*(http.request(method, path, json=body) for method, path, body in asked))

    with stopped(postgres_pids(board)):
        assert all(top == filled for top in tops(board, caller))
        with stopped(redis_pids(board)):
            top, *answers = asyncio.run(all_at_once())
    # With both away the open top is what the pod showed last.
    assert [(row["userId"], row["score"]) for row in top.json()["topScores"]] == filled
    for answer, (_, _, _, names) in zip(answers, writes, strict=True):
        assert (answer.status_code, set(answer.json())) == (503, names), answer.text
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"]

    def done() -> bool:
        # An answer of 503 leaves open what happened: sent again, it counts once.
        answer = send(caller, "PATCH", "/api/score/update", json.dumps(ticket).encode())
        return answer.status_code == 200 and answer.json() == {"success": True, "newScore": 7}

    until(done, 20)
    assert len(entries_of(board, caller.user_id)) == 1
