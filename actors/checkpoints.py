"""Signed checkpoints to a file, every ten minutes, by whichever pod."""

import asyncio
import logging
from pathlib import Path

from actors.clock import Clock
from actors.supervisor import Supervisor
from models import checkpoint, marks
from models.auditor import reading
from models.chain import Chain
from models.checkpoint_files import CheckpointFiles, evidence_of
from models.database import Database
from models.errors import ModelError

log = logging.getLogger("laurel.checkpoints")

INTERVAL_MS = 600_000
LOOK_SECONDS = 15.0
LEASE_SECONDS = 120.0
MARK = "checkpoint"


class Checkpoints:
    """Writes one when the last is ten minutes old, and says when a player has less than it had there.

    The last that knew better then stays for good, under a name of its own.

    Failure policy: what cannot be read or written is tried again at the next look, and counted.
    """

    def __init__(self, database: Database, url: str, chain: Chain, clock: Clock, name: Path, pod: str) -> None:
        self._database = database
        self._url = url
        self._chain = chain
        self._clock = clock
        self._files = CheckpointFiles(name)
        self._pod = pod
        self.written = 0
        self.failed = 0
        self.rolled_back = 0

    def start(self, supervisor: Supervisor) -> None:
        """Starts looking."""
        supervisor.keep("checkpoints", self._work)

    async def _work(self) -> None:
        while True:
            try:
                await self.look()
            except ModelError as error:
                self.failed += 1
                log.warning("no checkpoint: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> bool:
        """Writes a checkpoint when it is time and this pod's turn.

        Raises DatabaseUnavailable, also when the file cannot be written.
        """
        if self._clock.now_ms() - await marks.read(self._database, MARK) < INTERVAL_MS:
            return False
        if not await marks.lease(self._database, MARK, self._pod, LEASE_SECONDS):
            return False
        if (now := self._clock.now_ms()) - await marks.read(self._database, MARK) < INTERVAL_MS:
            return False  # another pod did it between the two looks
        before = await asyncio.to_thread(self._files.latest, self._chain)
        async with reading(self._url) as connection:
            fault = await self._files.write(checkpoint.take(connection, self._chain), before, now)
        await marks.advance(self._database, MARK, now)
        self.written += 1
        if fault is not None:
            self.rolled_back += 1
            kept = None if before is None else str(evidence_of(before.path))
            log.error("the ledger is behind its own checkpoint: %s", fault, extra={"evidence": kept})
        return True
