"""What must hold whatever happened: ledger = scores = boards in Redis = what viewers hold."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import asyncpg

from tests.e2e.viewer import FoldingViewer
from tests.laurel_process import LaurelProcess

SETTLE_SECONDS = 30


async def scores_of(database_url: str) -> dict[str, int]:
    """Every player's score, after ledger, versions and players were compared."""
    connection = await asyncpg.connect(database_url)
    try:
        broken = await connection.fetch("""
            SELECT p.id, p.score, p.version, sum(l.delta) AS sum, count(*) AS entries, max(l.user_version) AS last
            FROM players p JOIN ledger l ON l.user_id = p.id GROUP BY p.id
            HAVING p.score <> sum(l.delta) OR p.version <> count(*) OR p.version <> max(l.user_version)
        """)
        assert not broken, f"ledger and players differ: {broken[:3]}"
        rows = await connection.fetch("SELECT id::text, score FROM players WHERE version > 0")
        return {row["id"]: row["score"] for row in rows}
    finally:
        await connection.close()


async def entries_of(database_url: str) -> dict[str, dict[str, Any]]:
    """Every redemption in the ledger by its ticket id."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "SELECT entry_id::text, user_id::text, delta, score_after, user_version FROM ledger WHERE kind = 'redeem'"
        )
        return {row["entry_id"]: dict(row) for row in rows}
    finally:
        await connection.close()


async def top_of(url: str, board: str = "global", limit: int = 100) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v1/boards/{board}/top?limit={limit}") as got:
        assert got.status == 200, await got.text()
        return await got.json()


async def assert_whole(
    laurel: LaurelProcess, acknowledged: Mapping[str, Mapping[str, Any]], viewers: Sequence[FoldingViewer] = ()
) -> None:
    """Ledger, players, boards of every pod and viewers agree, and nothing acknowledged is missing."""
    database_url = laurel.config()["databaseUrl"]
    entries = await entries_of(database_url)
    for answer in acknowledged.values():
        entry = entries.get(answer["ticketId"])
        assert entry is not None, f"an acknowledged point is lost: {answer}"
        assert (entry["delta"], entry["score_after"], entry["user_version"]) == (
            answer["change"],
            answer["newScore"],
            answer["userVersion"],
        )
    scores = await scores_of(database_url)
    for url in laurel.urls:
        await _eventually(lambda url=url: _same_board(url, scores))
    expected = (await top_of(laurel.urls[0], limit=10))["entries"]
    for viewer in viewers:
        await _eventually(lambda viewer=viewer: _same_view(viewer, expected))


async def _same_board(url: str, scores: Mapping[str, int]) -> str:
    board = await top_of(url)
    if board["degraded"]:
        return "degraded"
    if board["totalUsers"] != len(scores):
        return f"{board['totalUsers']} players on the board of {url}, {len(scores)} in the ledger"
    wrong = [entry for entry in board["entries"] if scores.get(entry["userId"]) != entry["score"]]
    return f"{url}: {wrong[:3]}" if wrong else ""


async def _same_view(viewer: FoldingViewer, expected: Sequence[Mapping[str, Any]]) -> str:
    wanted = [(entry["userId"], entry["score"]) for entry in expected]
    return "" if viewer.top == wanted else f"a viewer sees {viewer.top}, the board is {wanted}"


async def _eventually(look: Any) -> None:
    for _ in range(SETTLE_SECONDS * 10):
        wrong = await look()
        if not wrong:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(wrong)
