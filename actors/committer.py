"""Group commit: proposals of many users, one statement."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from actors.clock import Clock
from actors.gathering import Gathering
from actors.supervisor import Supervisor
from actors.tally import SIZES, Histogram
from models import ledger, snapshot
from models.board import Board
from models.database import Database
from models.errors import Contended, DataRejected, ModelError
from models.ids import EntryId
from models.proposal import Proposal
from models.snapshot import Question, Snapshot

log = logging.getLogger("laurel.committer")

STATEMENTS_IN_FLIGHT = 2
WORTH_A_STATEMENT = 16
"""So many proposals go beside a statement that is under way, fewer wait until it is done: by itself, whatever is in it,
a statement costs as much as 16 proposals."""
PATIENCE_SECONDS = 0.02
"""But no longer: it may wait for somebody's lock."""
LARGEST_BATCH = 256
"""Proposals in one statement: beyond this a batch's own time grows faster than its yield."""


class Proposer(Protocol):
    """Whoever proposed; told exactly once what became of it. Its methods never raise."""

    @property
    def since(self) -> float:
        """When it was asked, in the loop's time."""
        ...

    def committed(self) -> None:
        """The proposal is in the ledger."""

    def lost(self) -> None:
        """The proposal is not in the ledger: something else came first."""

    def failed(self, error: ModelError) -> None:
        """Not written (DataRejected), or nobody knows (DatabaseUnavailable)."""

    def question(self) -> Question:
        """What must be known to decide again."""

    def decide_locked(self, found: Snapshot) -> Proposal | None:
        """Decides on a state that cannot change meanwhile; None when it needs no proposal any more."""


class Committer:
    """Writes proposals, two statements in flight, the next batch filling up meanwhile.

    It alone owns ledger writes, so no cancelled request can leave one half done. Failure policy: a failed statement
    fails its own proposals; a data error is halved until the culprit is alone.
    """

    def __init__(self, database: Database, clock: Clock, boards: Callable[[], Sequence[Board]]) -> None:
        self._database = database
        self._clock = clock
        self._boards = boards
        self._proposals: Gathering[tuple[Proposal, Proposer]] = Gathering(
            LARGEST_BATCH, beside=WORTH_A_STATEMENT, patience=PATIENCE_SECONDS
        )
        self._contended: Gathering[Proposer] = Gathering(1)
        self._now = asyncio.get_running_loop().time
        self.waited = Histogram()
        self.wrote = Histogram()
        self.batches = Histogram(SIZES)
        self.in_flight = 0
        self.observe: Callable[[int], None] = lambda _: None

    def start(self, supervisor: Supervisor) -> None:
        """Starts the workers."""
        for number in range(STATEMENTS_IN_FLIGHT):
            supervisor.keep(f"committer-{number}", self._work)
        supervisor.keep("committer-locked", self._work_locked)

    def submit(self, proposal: Proposal, proposer: Proposer) -> None:
        """Puts a proposal into the next statement; a user has at most one under way."""
        self.in_flight += 1
        self._proposals.put((proposal, proposer))

    def submit_locked(self, proposer: Proposer) -> None:
        """Decides and writes under the player's row lock, for one who has lost too often."""
        self.in_flight += 1
        self._contended.put(proposer)

    async def _work(self) -> None:
        while True:
            async with self._proposals.batch() as batch:
                self.observe(len(batch))
                self.batches.observe(len(batch))
                now = self._now()
                for _, proposer in batch:
                    self.waited.observe(now - proposer.since)
                began = time.perf_counter()
                await self._write(batch)
                self.wrote.observe_many(time.perf_counter() - began, len(batch))
                self.in_flight -= len(batch)

    async def _write(self, batch: Sequence[tuple[Proposal, Proposer]]) -> None:
        try:
            won = await ledger.commit(self._database, [proposal for proposal, _ in batch])
        except DataRejected as error:
            if len(batch) > 1:
                half = len(batch) // 2
                await self._write(batch[:half])
                await self._write(batch[half:])
            else:
                log.warning("proposal rejected: %s", error)
                batch[0][1].failed(error)
        except Contended:
            _tell(batch, set())
        except ModelError as error:
            for _, proposer in batch:
                proposer.failed(error)
        else:
            _tell(batch, won)

    async def _work_locked(self) -> None:
        while True:
            async with self._contended.batch() as (proposer,):
                await self._write_locked(proposer)
                self.in_flight -= 1

    async def _write_locked(self, proposer: Proposer) -> None:
        question = proposer.question()
        told = won = False
        try:
            async with self._database.transaction() as transaction:
                await transaction.hot(ledger.LOCK, question.user_id)
                found = await snapshot.take(
                    transaction, self._database, [question], self._boards(), self._clock.now_ms()
                )
                proposal = proposer.decide_locked(found[0])
                if proposal is None:
                    told = True
                    return
                won = bool(await ledger.commit(transaction, [proposal]))
        except Contended:
            if not told:
                proposer.lost()
        except ModelError as error:
            if not told:  # else it is at its next request already, and this end of a transaction was of the last
                proposer.failed(error)
        else:
            _tell([(proposal, proposer)], {proposal.entry.entry_id} if won else set())


def _tell(batch: Sequence[tuple[Proposal, Proposer]], won: set[EntryId]) -> None:
    for proposal, proposer in batch:
        if proposal.entry.entry_id in won:
            proposer.committed()
        else:
            proposer.lost()
