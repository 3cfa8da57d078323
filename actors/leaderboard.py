"""The leaderboard's reading half: one board's top in memory, and its history."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from actors import frames
from actors.audience import Audience
from actors.frames import Top, UpdatedPosition
from actors.profiles import Profiles
from models.board import Board
from models.ranking import Row

HELD_VERSIONS = 1_000
HELD_SECONDS = 600.0
"""A position is resumable within this many versions and this time."""
FRAME_SECONDS = 0.05
"""At most 20 frames a second: what changes in between is merged."""


class Leaderboard:
    """Keeps the top of one board, numbers and all, and shows each change to its audience once.

    Each record of the stream is a whole top with its version, so a missed one is made up for by the next.
    """

    def __init__(self, board: Board, profiles: Profiles, audience: Audience) -> None:
        self.board = board
        self.audience = audience
        self.top: Top | None = None
        self._profiles = profiles
        self._held: OrderedDict[int, tuple[Top, float]] = OrderedDict()
        self._shown: Top | None = None
        self._snapshot: bytes | None = None
        self._loop = asyncio.get_running_loop()
        self._last_frame = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def adopt(self, period: str, epoch: str, version: int, at_ms: int, rows: Sequence[Row]) -> None:
        """Starts over in a new epoch: everybody gets a snapshot."""
        self._cancel_timer()
        self._held.clear()
        top = self._top(period, epoch, version, at_ms, rows)
        self._hold(top)
        self._shown = top
        self.audience.show(self.snapshot(), self)

    def advance(self, version: int, at_ms: int, rows: Sequence[Row]) -> None:
        """Takes a later version of the same epoch and shows it, at once or with the next frame."""
        if self.top is None or version <= self.top.version:
            return
        self._hold(self._top(self.top.period, self.top.epoch, version, at_ms, rows))
        self._schedule()

    def _top(self, period: str, epoch: str, version: int, at_ms: int, rows: Sequence[Row]) -> Top:
        positions = []
        for rank, row in enumerate(rows, start=1):
            profile = self._profiles.get(row.user_id)
            positions.append(
                UpdatedPosition(
                    row.user_id, profile.username, profile.display_name, profile.avatar_url, row.score, rank
                )
            )
        return Top(self.board.board_id, period, epoch, version, at_ms, tuple(positions))

    def _hold(self, top: Top) -> None:
        self.top = top
        self._snapshot = None
        now = self._loop.time()
        self._held[top.version] = (top, now)
        while len(self._held) > HELD_VERSIONS or next(iter(self._held.values()))[1] < now - HELD_SECONDS:
            self._held.popitem(last=False)

    def _schedule(self) -> None:
        if self._timer is not None:
            return
        wait = self._last_frame + FRAME_SECONDS - self._loop.time()
        if wait <= 0:
            self._show()
        else:
            self._timer = self._loop.call_later(wait, self._show)

    def _show(self) -> None:
        self._timer = None
        before, after = self._shown, self.top
        if before is None or after is None or before is after:
            return
        self._last_frame = self._loop.time()
        self._shown = after
        self.audience.show(frames.update(before, after), self)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def shown(self) -> Top | None:
        """The top that the audience was shown last."""
        return self._shown

    def snapshot(self) -> bytes | None:
        """The last shown top as a snapshot; None before the first."""
        if self._shown is None:
            return None
        if self._snapshot is None:
            self._snapshot = frames.snapshot(self._shown)
        return self._snapshot

    def since(self, epoch: str, version: int) -> bytes | None:
        """What a viewer at a position has missed: a delta, a snapshot, or nothing when it is current."""
        shown = self._shown
        if shown is None:
            return None
        if epoch == shown.epoch and version == shown.version:
            return b""
        held = self._held.get(version) if epoch == shown.epoch and version < shown.version else None
        return self.snapshot() if held is None else frames.update(held[0], shown)
