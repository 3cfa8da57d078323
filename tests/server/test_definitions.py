"""What a pod knows of actions and boards is what was said last."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from models import boards, catalogue
from models.board import Board
from models.catalogue import Catalogue
from models.control import Notice, Topic
from models.database import Database
from server.definitions import Definitions
from tests.pods import migrated, simple_catalogue


class Shown:
    """Takes boards in place of the views."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    def define(self, defined: Sequence[Board]) -> bool:
        self.titles = [board.title for board in defined if board.board_id == "weekly"]
        return False


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url, simple_catalogue({"sprint": 10}))
    yield database
    await database.close()


class Slow:
    """The first of several reads has its rows, and is late with them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read, self.go_on = asyncio.Event(), asyncio.Event()
        self._catalogue, self._boards = catalogue.load, boards.load
        monkeypatch.setattr(catalogue, "load", self.load_catalogue)
        monkeypatch.setattr(boards, "load", self.load_boards)

    async def load_catalogue(self, database: Database) -> Catalogue:
        found = await self._catalogue(database)
        await self._wait()
        return found

    async def load_boards(self, database: Database) -> Sequence[Board]:
        found = await self._boards(database)
        await self._wait()
        return found

    async def _wait(self) -> None:
        if not self.read.is_set():
            self.read.set()
            await self.go_on.wait()


@pytest.mark.parametrize("topic", [Topic.CATALOGUE, Topic.BOARDS])
async def test_of_two_reads_at_once_the_newer_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch, topic: Topic
) -> None:
    shown = Shown()
    definitions = Definitions(database, shown, (), lambda: None)  # type: ignore[arg-type]
    hear = definitions.hear_catalogue if topic is Topic.CATALOGUE else definitions.hear_boards
    slow = Slow(monkeypatch)
    first = asyncio.create_task(hear(Notice(1, topic, "")))
    await slow.read.wait()
    await catalogue.save(database, simple_catalogue({"sprint": 20}))
    await database.rows("UPDATE boards SET title = 'Later' WHERE board_id = 'weekly'")
    second = asyncio.create_task(hear(Notice(2, topic, "")))
    await asyncio.wait([second], timeout=0.5)  # unless it waits for its turn
    slow.go_on.set()
    await asyncio.gather(first, second)
    if topic is Topic.CATALOGUE:
        known = definitions.catalogue.find("sprint")
        assert known is not None
        assert known.action.points == 20
    else:
        assert shown.titles == ["Later"]
