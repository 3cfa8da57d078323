"""Checkpoints to files: when, by whom, how many, and what they notice."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.checkpoints import INTERVAL_MS, MARK, Checkpoints
from actors.clock import Clock
from models.checkpoint import Checkpoint
from models.checkpoint_files import KEPT, CheckpointFiles
from models.database import Database
from models.errors import DatabaseUnavailable
from tests.pods import CHAIN, migrated, new_players


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url)
    for table in ("players", "marks", "leases"):
        await database.rows(f"DELETE FROM {table}")
    yield database
    await database.close()


def writer(database: Database, url: str, folder: Path, pod: str = "a") -> Checkpoints:
    return Checkpoints(database, url, CHAIN, Clock(), folder / "sub" / "laurel.checkpoint", pod)


async def age(database: Database) -> None:
    """As if the interval had passed."""
    await database.rows("UPDATE marks SET at = at - $1 * interval '1 ms' WHERE name = $2", INTERVAL_MS, MARK)


async def test_whichever_pod_writes_one_each_interval(database: Database, database_url: str, tmp_path: Path):
    await database.rows("UPDATE players SET version = 3 WHERE id = $1", (await new_players(database, 1))[0])
    pods = [writer(database, database_url, tmp_path, name) for name in "abc"]
    assert sum(await asyncio.gather(*(pod.look() for pod in pods))) == 1
    assert [await pod.look() for pod in pods] == [False] * 3
    (path,) = (tmp_path / "sub").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert Checkpoint.open(path, CHAIN).header.entries == 3
    assert sum(pod.written for pod in pods) == 1


async def test_a_player_with_less_than_before_is_noticed(database: Database, database_url: str, tmp_path: Path):
    low, middle, high = sorted(await new_players(database, 3))
    await database.rows("UPDATE players SET version = 3, last_hash = 'x'")
    pod = writer(database, database_url, tmp_path)
    changes = [
        ("UPDATE players SET version = 4 WHERE id = $1", low, 0),
        ("UPDATE players SET version = 2 WHERE id = $1", middle, 1),
        ("UPDATE players SET last_hash = 'y' WHERE id = $1", high, 2),
        ("DELETE FROM players WHERE id = $1", high, 3),
        ("DELETE FROM players WHERE id = $1", low, 4),
    ]
    assert await pod.look()
    for statement, user_id, noticed in changes:
        await database.rows(statement, user_id)
        await age(database)
        pod._clock.offset_ms += 1_000.0  # a name of its own
        assert await pod.look()
        assert pod.rolled_back == noticed, statement


async def test_the_newest_stay_and_a_broken_one_is_passed_over(database: Database, database_url: str, tmp_path: Path):
    pod = writer(database, database_url, tmp_path)
    for _ in range(KEPT + 2):
        pod._clock.offset_ms += 1_000.0
        await age(database)
        assert await pod.look()
    files = CheckpointFiles(tmp_path / "sub" / "laurel.checkpoint")
    assert len(files.present()) == KEPT
    latest = files.latest(CHAIN)
    files.present()[-1].write_text("cut off")
    assert latest is not None
    assert files.latest(CHAIN) is not None
    assert files.latest(CHAIN) != latest


async def test_the_last_that_knew_better_is_never_pushed_out(database: Database, database_url: str, tmp_path: Path):
    (user_id,) = await new_players(database, 1)
    await database.rows("UPDATE players SET version = 3, last_hash = 'x'")
    pod = writer(database, database_url, tmp_path)
    for number in range(KEPT + 3):
        pod._clock.offset_ms += 1_000.0
        await age(database)
        assert await pod.look()
        if number == 1:
            await database.rows("UPDATE players SET version = 2 WHERE id = $1", user_id)
    (evidence,) = (tmp_path / "sub").glob("*.evidence.checkpoint")
    assert [mark.version for mark in Checkpoint.open(evidence, CHAIN).marks()] == [3]
    present = CheckpointFiles(tmp_path / "sub" / "laurel.checkpoint").present()
    assert len(present) == KEPT
    assert evidence not in present
    assert pod.rolled_back == 1


async def test_what_a_killed_writer_left_is_removed(database: Database, database_url: str, tmp_path: Path):
    folder = tmp_path / "sub"
    folder.mkdir()
    left, young, other = (folder / f".laurel-{name}" for name in ("1Z.checkpoint.99", "2Z.checkpoint.99", "notes.txt"))
    for path in (left, young, other):
        path.write_text("{")
    for path in (left, other):
        os.utime(path, (1, 1))
    assert await writer(database, database_url, tmp_path).look()
    assert [path.exists() for path in (left, young, other)] == [False, True, True]


async def test_a_folder_that_cannot_be_written_is_tried_again(database: Database, database_url: str, tmp_path: Path):
    (tmp_path / "sub").write_text("a file")
    pod = writer(database, database_url, tmp_path)
    with pytest.raises(DatabaseUnavailable, match="FileExists"):
        await pod.look()
    (tmp_path / "sub").unlink()
    assert await pod.look()
