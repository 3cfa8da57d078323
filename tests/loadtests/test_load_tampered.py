"""The verdict on a real run by the raw generator, before and after somebody tampered with the stores."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
from redis import Redis

from loadtests.load.evidence import Addresses
from loadtests.load.judge import settled
from loadtests.load.measured import Budgets, Measured
from loadtests.load.told import Divergence, Told, View
from tests.laurel_process import LaurelProcess, run_module

TRUTH_ALONE = "failures_percent = 0\nbudget = []\nlag = {p95_ms = 60000, p99_ms = 60000}\n"


def test_verdict_goes_red_when_real_stores_are_tampered_with(
    tmp_path: Path, laurel_factory: Callable[[], LaurelProcess]
):
    laurel = laurel_factory().start(pods=2)
    budgets = tmp_path / "budgets.toml"
    budgets.write_text(TRUTH_ALONE)
    tokens, folder, data = tmp_path / "tokens", tmp_path / "told", str(laurel.data)
    tokens.write_text("".join(f"{user}\t{token}\n" for user, token in laurel.mint_tokens(20)))
    where = ("--url", ",".join(laurel.urls), "--record", str(folder), "--budgets", str(budgets))
    size = ("--tokens", str(tokens), "--players", "10", "--viewers", "4", "--seconds", "2")
    done = run_module("loadtests.raw", *where, *size, "--data", data)
    assert done.returncode == 0, done.stdout + done.stderr
    alone = run_module("loadtests.load.judge", str(folder), "--budgets", str(budgets))
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert "Only the public API was asked" in alone.stdout
    config = laurel.config()
    asyncio.run(_tampered(config["databaseUrl"], config["redisUrl"], folder, Budgets.read(budgets)))


async def _tampered(database_url: str, redis_url: str, folder: Path, budgets: Budgets) -> None:
    told, measured = Told.read(folder), Measured.read(folder)
    addresses = Addresses(database_url, redis_url, "the test")

    async def kinds() -> set[str]:
        _, found = await settled(told, measured, budgets, addresses, seconds=0)
        return {finding.kind for finding in found}

    assert await kinds() == set()
    _, found = await settled(told, measured, budgets, Addresses(database_url, "redis://127.0.0.1:1", "the test"), 0)
    assert [finding.kind for finding in found] == ["stores"]
    view = next(view for view in told.views if view.rows)
    wrong = [(user_id, score + 10) for user_id, score in view.rows]
    told.add(View("planted", view.epoch, view.version, wrong, True))
    assert await kinds() == {"fold"}
    told.views.pop()
    told.add(Divergence("planted", "a delta is missing"))
    assert await kinds() == {"fold"}
    told.divergences.pop()
    with Redis.from_url(redis_url) as redis:
        (rank,) = redis.keys("laurel:{global*}:*:rank")
        member = redis.zrange(rank, 0, 0)[0]
        redis.zincrby(rank, 10, member)
        assert "redis" in await kinds()
        redis.zincrby(rank, -10, member)
    last = max(told.answers, key=lambda answer: answer.at)
    await _execute(database_url, "UPDATE players SET score = score + 10 WHERE id = $1", last.user_id)
    assert await kinds() >= {"ledger", "redis"}  # "doubled" too, unless an answer was cut off at the end
    await _execute(database_url, "UPDATE players SET score = score - 10 WHERE id = $1", last.user_id)
    assert await kinds() == set()
    await _execute(database_url, "DELETE FROM ledger WHERE entry_id = $1", last.entry_id)
    assert await kinds() >= {"ledger", "lost"}


async def _execute(url: str, statement: str, *values: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        assert (await connection.execute(statement, *values)).endswith(" 1")
    finally:
        await connection.close()
