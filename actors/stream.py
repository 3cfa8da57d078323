"""Reads the boards' numbered streams into their leaderboards."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from actors.epochs import Epochs
from actors.keys import keys_of
from actors.leaderboard import Leaderboard, Record
from actors.links import Links
from actors.ordering import AWAY, Ordering
from actors.profiles import Profiles
from actors.supervisor import Supervisor
from models.board import Place
from models.ids import BoardId, UserId
from models.ranking import Row, rows_of, text_of

BLOCK_MS = 200
"""How long a read waits; also how long a new epoch's first delta may wait to be read."""
READ_COUNT = 500
LEAD_SECONDS = 0.001
"""How long before a frame the read for it is made. It takes about so long; timers are up to a millisecond too early
themselves, and one that missed the time at which a frame may go out would leave it to the next change."""


class Stream:
    """One blocking reader for all boards, from the last position on: a broken connection misses nothing.

    The epoch is in the stream's name, so a recreated stream is never waited on at an old position.
    """

    def __init__(
        self, ordering: Ordering, epochs: Epochs, profiles: Profiles, boards: Mapping[BoardId, Leaderboard]
    ) -> None:
        self._ordering = ordering
        self._epochs = epochs
        self._profiles = profiles
        self._boards = boards

    def start(self, supervisor: Supervisor) -> None:
        """Starts reading."""
        supervisor.keep("stream", self._work)

    async def adopt(self, place: Place, epoch: str, version: int, at_ms: int, rows: Sequence[Row]) -> None:
        """Shows a board's new epoch."""
        leaderboard = self._leaderboard(place)
        if leaderboard is not None:
            await self._profiles.load([row.user_id for row in rows])
            leaderboard.adopt(place[1], Record(epoch, version, at_ms, text_of(rows)))

    def _leaderboard(self, place: Place) -> Leaderboard | None:
        board = self._epochs.board_of(place)
        return None if board is None else self._boards.get(board.board_id)

    async def _work(self) -> None:
        links = self._ordering.links(1)
        try:
            while True:
                await self._ordering.there.wait()
                try:
                    if not await self._read(links):
                        await self._wait(links)
                    await self._rest()
                except AWAY:
                    await asyncio.sleep(0.1)  # the watch finds out what is wrong
        finally:
            await links.close()

    async def _wait(self, links: Links) -> None:
        """Waits for the first stream that moves; what moved with it is read right after."""
        while not self._ordering.away:
            if await self._read(links, BLOCK_MS):
                await self._read(links)
                return

    async def _rest(self) -> None:
        """Leaves what comes before the next frame to one read, when it may go out; so boards fall into step."""
        watched = [board.next_frame for board in self._boards.values() if board.audience]
        until = max(watched or (board.next_frame for board in self._boards.values()), default=0.0)
        await asyncio.sleep(until - LEAD_SECONDS - asyncio.get_running_loop().time())

    async def _read(self, links: Links, block_ms: int | None = None) -> bool:
        """Takes what there is, or waits for it; whether there was anything."""
        wanted: dict[str, tuple[Leaderboard, str]] = {}
        positions: list[str] = []
        for place, epoch in self._epochs.known().items():
            leaderboard = self._leaderboard(place)
            newest = None if leaderboard is None else leaderboard.newest
            if leaderboard is not None and newest is not None and newest.epoch == epoch.name:
                wanted[keys_of(place, epoch.name).stream] = (leaderboard, epoch.name)
                positions.append(f"{newest.version}-0")
        if not wanted:
            await asyncio.sleep((block_ms or 0) / 1000)
            return False
        waiting = () if block_ms is None else ("BLOCK", block_ms)
        command = ("XREAD", *waiting, "COUNT", READ_COUNT, "STREAMS", *wanted, *positions)
        answers = _pairs(*await links.exchange([command]))
        for stream, records in answers:
            await self._take(*wanted[stream], records)
        for leaderboard in self._boards.values():
            leaderboard.keep_up()
        return bool(answers)

    async def _take(self, leaderboard: Leaderboard, epoch: str, records: Sequence[tuple[str, dict[str, str]]]) -> None:
        for _, fields in records:
            if "profile" in fields:
                await self._profiles.reload(UserId(fields["profile"]))
        await self._profiles.load([row.user_id for row in rows_of(records[-1][1]["top"])])
        leaderboard.advance(
            (
                _record(epoch, number, fields),
                UserId(fields["profile"]) if "profile" in fields else None,
            )
            for number, fields in records
        )


def _record(epoch: str, number: str, fields: Mapping[str, str]) -> Record:
    """A version as its stream has it; where nothing was committed for it, it dates from when it was numbered."""
    at = fields["at"]
    return Record(epoch, int(number.partition("-")[0]), int(at), fields["top"], int(fields.get("since", at)))


def _pairs(answers: Any) -> list[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """The streams of an answer, in either protocol version's shape."""
    streams = answers.items() if isinstance(answers, dict) else answers or ()
    return [
        (stream, [(number, dict(zip(fields[::2], fields[1::2], strict=True))) for number, fields in records])
        for stream, records in streams
    ]
