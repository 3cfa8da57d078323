"""Activations and reloads of many users, in one snapshot."""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from actors.clock import Clock
from actors.gathering import Gathering
from actors.supervisor import Supervisor
from models import snapshot
from models.board import Board
from models.database import Database
from models.errors import DatabaseUnavailable, ModelError
from models.snapshot import Question, Snapshot

log = logging.getLogger("laurel.loader")

WORKERS = 2
LARGEST_BATCH = 128


class Asker(Protocol):
    """Whoever asked; told exactly once. Its methods never raise."""

    def loaded(self, found: Snapshot) -> None:
        """The answer to the question."""

    def failed(self, error: ModelError) -> None:
        """There was no answer."""


class Loader:
    """Reads states, the next batch filling up while a snapshot is under way.

    Failure policy: a failed snapshot fails its own askers.
    """

    def __init__(self, database: Database, clock: Clock, boards: Callable[[], Sequence[Board]]) -> None:
        self._database = database
        self._clock = clock
        self._boards = boards
        self._questions: Gathering[tuple[Question, Asker]] = Gathering(LARGEST_BATCH)

    def start(self, supervisor: Supervisor) -> None:
        """Starts the workers."""
        for number in range(WORKERS):
            supervisor.keep(f"loader-{number}", self._work)

    def ask(self, question: Question, asker: Asker) -> None:
        """Puts a question into the next snapshot."""
        self._questions.put((question, asker))

    async def read(self, questions: Sequence[Question]) -> list[Snapshot]:
        """Answers at once, for those who ask about many; raises DatabaseUnavailable."""
        return await snapshot.take(self._database, self._database, questions, self._boards(), self._clock.now_ms())

    async def _work(self) -> None:
        while True:
            async with self._questions.batch() as batch:
                await self._load(batch)

    async def _load(self, batch: Sequence[tuple[Question, Asker]]) -> None:
        try:
            found = await self.read([question for question, _ in batch])
        except ModelError as error:
            _fail(batch, error)
        except Exception:
            log.exception("a snapshot could not be read")
            _fail(batch, DatabaseUnavailable("what the database holds could not be read"))
        else:
            for (_, asker), answer in zip(batch, found, strict=True):
                asker.loaded(answer)


def _fail(batch: Sequence[tuple[Question, Asker]], error: ModelError) -> None:
    for _, asker in batch:
        asker.failed(error)
