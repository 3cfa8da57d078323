"""The leaderboard's reading half: one board's top in memory, and its history."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import perf_counter

from actors import frames
from actors.audience import Audience
from actors.frames import Top, UpdatedPosition
from actors.overtaking import Overtaken, overtaken
from actors.profiles import Profiles
from actors.shown import Shown, snapshot_of
from models.board import Board
from models.ids import UserId
from models.ranking import Row

HELD_VERSIONS = 1_000
HELD_SECONDS = 600.0
"""A position is resumable within this many versions and this time."""
FRAME_SECONDS = 0.05
"""At most 20 frames a second: what changes in between is merged."""


class Leaderboard:
    """Keeps the top of one board, numbers and all, and shows each change to its audience once.

    Each record of the stream is a whole top with its version, so a missed one is made up for by the next. A record may
    also name a player whose profile is another one from this version on: their row is in every delta that crosses it,
    since another pod may have shown the old profile at a version where this one had the new.
    """

    def __init__(
        self,
        board: Board,
        profiles: Profiles,
        audience: Audience,
        on_overtaken: Callable[[Overtaken], None] | None = None,
    ) -> None:
        self.board = board
        self.audience = audience
        self.top: Top | None = None
        self._profiles = profiles
        self._on_overtaken = on_overtaken
        self.on_shown: Callable[[int, float], None] = lambda at_ms, seconds: None
        self._held: OrderedDict[int, tuple[Top, float]] = OrderedDict()
        self._renamed: OrderedDict[UserId, int] = OrderedDict()
        self._shown: Top | None = None
        self._snapshot: Shown | None = None
        self._loop = asyncio.get_running_loop()
        self._last_frame = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def adopt(self, period: str, epoch: str, version: int, at_ms: int, rows: Sequence[Row]) -> None:
        """Starts over in a new epoch: everybody gets a snapshot."""
        self.retire()
        self._held.clear()
        self._renamed.clear()
        top = self._top(period, epoch, version, at_ms, rows)
        self._hold(top)
        self._shown, self._snapshot = top, None
        self.audience.show(self.snapshot(), self)

    def advance(self, version: int, at_ms: int, rows: Sequence[Row], renamed: UserId | None = None) -> None:
        """Takes a later version of the same epoch and shows it, at once or with the next frame."""
        if self.top is None or version <= self.top.version:
            return
        if renamed is not None:
            self._renamed[renamed] = version
            self._renamed.move_to_end(renamed)
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
        now = self._loop.time()
        self._held[top.version] = (top, now)
        while len(self._held) > HELD_VERSIONS or next(iter(self._held.values()))[1] < now - HELD_SECONDS:
            self._held.popitem(last=False)
        oldest = next(iter(self._held))
        while self._renamed and next(iter(self._renamed.values())) <= oldest:
            self._renamed.popitem(last=False)

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
        self._snapshot = None
        began = perf_counter()
        self.audience.show(self._update(before, after), self)
        self.on_shown(after.at, perf_counter() - began)
        if self._on_overtaken is not None:
            for one in overtaken(before, after):
                self._on_overtaken(one)

    def _update(self, before: Top, after: Top) -> Shown:
        told = {user_id for user_id, version in self._renamed.items() if before.version < version <= after.version}
        return Shown("leaderboard.update", frames.update(before, after, told), after)

    def retire(self) -> None:
        """Shows nothing more of what it holds, as when another one takes over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def due(self) -> float | None:
        """When the frame that waits goes out, in the loop's time; None when none waits."""
        return None if self._timer is None else self._timer.when()

    @property
    def shown(self) -> Top | None:
        """The top that the audience was shown last."""
        return self._shown

    def snapshot(self) -> Shown | None:
        """The last shown top as a snapshot; None before the first."""
        if self._snapshot is None and self._shown is not None:
            self._snapshot = snapshot_of(self._shown)
        return self._snapshot

    def since(self, epoch: str, version: int) -> Shown | None:
        """What a viewer at a position has missed: a delta, a snapshot, or nothing when it is current.

        One that is ahead of what was shown here is told all that this pod knows; where that is still behind, it gets a
        snapshot, which a viewer leaves aside as old.
        """
        shown = self._shown
        if self._timer is not None and shown is not None and epoch == shown.epoch and version > shown.version:
            self.retire()
            self._show()
            shown = self._shown
        if shown is None or (epoch == shown.epoch and version == shown.version):
            return None
        held = self._held.get(version) if epoch == shown.epoch and version < shown.version else None
        return self.snapshot() if held is None else self._update(held[0], shown)
