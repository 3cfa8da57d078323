"""What an administrator asks for happens once, whatever dies in between."""

import asyncio
import os
import random
import signal
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.caller import Caller, fetch
from tests.laurel_process import LaurelProcess

PLAYERS = 6
WRITES = 240
KILLED_AFTER = (60, 150)
"""So many answers in, a pod dies: first the one, then the other."""
CONNECTIONS = 12


class Administrator:
    """Sends each write to random pods until one answers, some of them twice; remembers the answers of each key."""

    def __init__(self, laurel: LaurelProcess, token: str) -> None:
        self._laurel = laurel
        self._headers = {"Authorization": f"Bearer {token}"}
        self.answers: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.unanswered = 0

    async def insist(self, session: aiohttp.ClientSession, method: str, path: str, body: Any, key: str) -> None:
        while True:
            url = random.choice(self._laurel.urls)
            try:
                async with session.request(
                    method, url + path, json=body, headers=self._headers | {"Idempotency-Key": key}
                ) as response:
                    if response.status in (200, 201):
                        self.answers[key].append(await response.json())
                        return
                    assert response.status == 503, await response.text()
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                self.unanswered += 1
            await asyncio.sleep(0.02)


def writes(users: list[str]) -> list[tuple[str, str, Any, str]]:
    """Absolute and relative changes and bans of few players, each under a key of its own."""
    found: list[tuple[str, str, Any, str]] = []
    for number in range(WRITES):
        path = f"/api/v1/admin/users/{users[number % PLAYERS]}"
        key, reason = str(uuid4()), f"write {number}"
        match number % 7:
            case 0:
                found.append(("PUT", f"{path}/score", {"score": number, "reason": reason}, key))
            case 1:
                found.append(("PUT", f"{path}/ban", {"reason": reason}, key))
            case _:
                found.append(("PATCH", f"{path}/score", {"change": number - 100, "reason": reason}, key))
    return found


@pytest.mark.timeout(120)
async def test_writes_happen_once_while_pods_are_killed(laurel_factory: Callable[[], LaurelProcess]) -> None:
    laurel = await asyncio.to_thread(laurel_factory().start, 2)
    users = [user_id for user_id, _ in await asyncio.to_thread(laurel.mint_tokens, PLAYERS)]
    admin_id, token = await asyncio.to_thread(laurel.mint_admin)
    pods = laurel.pods()
    administrator = Administrator(laurel, token)
    # Each stands twice, so that retries race with what they repeat.
    queue = iter([work for work in writes(users) for _ in range(2)])
    killed: list[int] = []

    async def send(session: aiohttp.ClientSession) -> None:
        for method, path, body, key in queue:
            await administrator.insist(session, method, path, body, key)
            due = KILLED_AFTER[len(killed)] if len(killed) < len(KILLED_AFTER) else None
            if due is not None and len(administrator.answers) >= due:
                killed.append(pods[len(killed)])
                os.kill(killed[-1], signal.SIGKILL)

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session, asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(send(session))

    assert len(killed) == len(KILLED_AFTER)
    assert administrator.unanswered > 0, "no pod was missed: the test proves nothing"
    assert len(administrator.answers) == WRITES
    for key, told in administrator.answers.items():
        assert len({answer["entryId"] for answer in told}) == 1, key
        assert sum(not answer["replayed"] for answer in told) <= 1, key
    database = laurel.config()["databaseUrl"]
    rows = await fetch(database, "SELECT entry_id::text, meta->>'reason' AS reason, caller, delta FROM ledger")
    assert sorted(row["entry_id"] for row in rows) == sorted(
        told[0]["entryId"] for told in administrator.answers.values()
    )
    assert len({row["reason"] for row in rows}) == WRITES
    assert {row["caller"] for row in rows} == {admin_id}
    sums = await fetch(database, "SELECT sum(delta)::bigint AS s FROM ledger GROUP BY user_id ORDER BY user_id")
    scores = await fetch(database, "SELECT score AS s FROM players WHERE version > 0 ORDER BY id")
    assert sums == scores
    await asyncio.to_thread(laurel.await_ready)
    await asyncio.to_thread(the_audit_holds, laurel, token, users)


def the_audit_holds(laurel: LaurelProcess, token: str, users: list[str]) -> None:
    """After sets, bans, a void, a move and an erasure, without and with a checkpoint; a changed score is found."""
    with Caller(laurel.urls[0], token) as admin:
        wanted = {"userId": users[0], "kind": "adjust"}
        entries = admin.http.get("/api/v1/admin/ledger", params=wanted).json()["entries"]
        assert admin.post(f"/api/v1/admin/entries/{entries[0]['entryId']}/void", {"reason": "r"}).status_code == 200
    _, own = laurel.run("token", "mint", "--user", "somebody").strip().split("\t")
    with Caller(laurel.urls[1], own) as player:
        assert player.http.patch("/api/v1/me", json={"region": "north"}).status_code == 200
        player.redeem(player.issue("sprint")["ticket"])
        assert player.http.delete("/api/v1/me").status_code == 204
    checkpoint = laurel.data.parent / "checkpoint"
    checkpoint.write_text(laurel.run("audit", "checkpoint"))
    assert "hold together" in laurel.run("audit", "verify", "--checkpoint", str(checkpoint))
    change = "UPDATE players SET score = score + 1 WHERE id = $1::text::uuid"
    asyncio.run(fetch(laurel.config()["databaseUrl"], change, users[1]))
    with pytest.raises(AssertionError, match="audit verify: 1"):
        laurel.run("audit", "verify")
