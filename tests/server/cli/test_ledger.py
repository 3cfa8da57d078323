"""`laurel ledger archive`: what it prints and refuses; that nothing is lost is tested beside the archive."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from redis import Redis

from models import archiving, boards, partitions
from models.database import Database
from server.keys import HmacKey, format_hmac_keys
from tests.models.test_archive import FIRST, KEPT, SECOND, TODAY, Old, within
from tests.models.test_audit import CHAIN
from tests.server.cli.conftest import Run

KEYS = format_hmac_keys([HmacKey(CHAIN.newest, CHAIN.keys[CHAIN.newest])])
BEFORE = f"{KEPT:%Y-%m}"


async def played(url: str) -> None:
    database = Database(url)
    await database.open()
    await partitions.provide(database, within(FIRST), 6)
    player = Old(database, await boards.load(database))
    await player.sql("INSERT INTO players (id) VALUES ($1)")
    for month in (FIRST, SECOND, KEPT, None):
        await player.redeems_of(month)
    await database.close()


def test_months_become_files_that_an_audit_reads(
    run: Run, environ: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asyncio.run(played(environ["LAUREL_DATABASE_URL"]))
    monkeypatch.setattr(archiving, "CLOSING_SECONDS", 0.0)
    result = run("ledger", "archive", "--before", BEFORE, tmp_path, audit_keys=KEYS)
    files = [tmp_path / f"ledger-{month:%Y-%m}.jsonl.gz" for month in (FIRST, SECOND)]
    assert result.code == 0, result.err
    assert result.lines == [f"{month:%Y-%m}\t1\t{file}" for month, file in zip((FIRST, SECOND), files, strict=True)]
    assert run("ledger", "archive", "--before", BEFORE, tmp_path, audit_keys=KEYS).out == ""

    kept = run("audit", "verify", audit_keys=KEYS)
    assert (kept.code, "2 entries of 1 players" in kept.out, "see --archive" in kept.err) == (0, True, True)
    whole = run("audit", "verify", "--archive", *files, audit_keys=KEYS)
    assert (whole.code, "4 entries of 1 players" in whole.out, whole.err) == (0, True, "")
    assert run("audit", "verify", "--archive", files[1], audit_keys=KEYS).code == 1
    assert "no archive" in run("audit", "verify", "--archive", tmp_path / "none", audit_keys=KEYS).complaint
    with Redis.from_url(environ["LAUREL_REDIS_URL"]) as redis:
        redis.flushdb()  # boards of other modules' players
    assert run("doctor", audit_keys=KEYS).code == 0


def test_what_may_not_be_archived_is_one_line(run: Run, tmp_path: Path):
    after = f"{TODAY.year + 1}-01"
    assert "too young" in run("ledger", "archive", "--before", after, tmp_path, audit_keys=KEYS).complaint
    assert "is no folder" in run("ledger", "archive", "--before", BEFORE, tmp_path / "none").complaint


@pytest.mark.parametrize("arguments", [[], ["archive"], ["archive", "--before", "2026-13", "."], ["burn"]])
def test_wrong_usage_is_2(run: Run, arguments: list[str]):
    assert run("ledger", *arguments).code == 2
