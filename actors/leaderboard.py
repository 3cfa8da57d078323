"""The leaderboard's reading half: one board's top in memory, and its history."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from time import perf_counter

import msgspec

from actors import frames
from actors.audience import Audience
from actors.frames import Top, UpdatedPosition
from actors.profiles import Profiles
from actors.shown import Shown, snapshot_of
from models.board import Board
from models.ids import UserId
from models.ranking import rows_of

HELD_VERSIONS = 1_000
HELD_SECONDS = 600.0
"""A position is resumable within this many versions and this time."""
FRAME_SECONDS = 0.05
"""At most 20 frames a second: what changes in between is merged."""
EARLY_SECONDS = 0.003
"""How much before its time a frame may go out."""
LATE_SECONDS = FRAME_SECONDS / 2
"""How much after its time it may go out without moving those after it: a busy machine shows twenty a second too."""
UNWATCHED_SECONDS = 0.1
"""How often a board that nobody watches is brought up to date."""


class Record(msgspec.Struct, frozen=True):
    """A version of a board as its stream has it: the whole top as text, read only when somebody wants it.

    `since`: when the oldest change in it was committed; 0 when nobody knows.
    """

    epoch: str
    version: int
    at: int
    text: str
    since: int = 0


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
        on_turn: Callable[[Top, Top], None] | None = None,
    ) -> None:
        self.board = board
        self.audience = audience
        self.newest: Record | None = None
        self._period = ""
        self._profiles = profiles
        self._on_turn = on_turn
        self.on_shown: Callable[[int, float], None] = lambda since_ms, seconds: None
        self._held: OrderedDict[int, tuple[Record, float]] = OrderedDict()
        self._renamed: OrderedDict[UserId, int] = OrderedDict()
        self.shown: Top | None = None
        self._snapshot: Shown | None = None
        self._unshown_since = 0
        self._missed: dict[int, Shown] = {}
        self._loop = asyncio.get_running_loop()
        self._last_frame = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def adopt(self, period: str, newest: Record) -> None:
        """Starts over in a new epoch: everybody gets a snapshot."""
        self.retire()
        self._held.clear()
        self._renamed.clear()
        self._unshown_since = 0
        self._period = period
        self._hold(newest)
        self._turn_to(newest)
        if self.audience:
            self.audience.show(self.snapshot(), self)

    def advance(self, records: Iterable[tuple[Record, UserId | None]]) -> None:
        """Takes later versions of the same epoch and shows the last, at once or with the next frame."""
        for later, renamed in records:
            newest = self.newest
            if newest is None or later.epoch != newest.epoch or later.version <= newest.version:
                continue
            if renamed is not None:
                self._renamed[renamed] = later.version
                self._renamed.move_to_end(renamed)
            self._unshown_since = self._unshown_since or later.since
            self._hold(later)
        self.keep_up()

    def keep_up(self) -> None:
        """Shows what is held and not shown yet, if the time of its frame has come.

        Asked after each read of the stream, which is made when a frame may go out, so that it has the newest of all;
        should the next read not come, a timer shows it one frame later.
        """
        if self.newest is None or self._is_shown(self.newest):
            return
        wait = self.next_frame - self._loop.time()
        if wait <= EARLY_SECONDS:
            self.retire()
            self._show()
        elif self._timer is None:
            self._timer = self._loop.call_later(wait + FRAME_SECONDS, self._show)

    def _read(self, record: Record) -> Top:
        positions = []
        for rank, row in enumerate(rows_of(record.text), start=1):
            profile = self._profiles.get(row.user_id)
            positions.append(
                UpdatedPosition(
                    row.user_id, profile.username, profile.display_name, profile.avatar_url, row.score, rank
                )
            )
        return Top(self.board.board_id, self._period, record.epoch, record.version, record.at, tuple(positions))

    def _hold(self, record: Record) -> None:
        self.newest = record
        now = self._loop.time()
        self._held[record.version] = (record, now)
        while len(self._held) > HELD_VERSIONS or next(iter(self._held.values()))[1] < now - HELD_SECONDS:
            self._held.popitem(last=False)
        oldest = next(iter(self._held))
        while self._renamed and next(iter(self._renamed.values())) <= oldest:
            self._renamed.popitem(last=False)

    def _show(self) -> None:
        self._timer = None
        old, after = self.shown, self.newest
        if old is None or after is None or self._is_shown(after):
            return
        self._last_frame = self._frame_of(self._loop.time())
        new = self._turn_to(after)
        if self.audience:
            began = perf_counter()
            self.audience.show(self._update(old, new), self)
            self.on_shown(self._unshown_since, perf_counter() - began)
        self._unshown_since = 0
        if self._on_turn is not None:
            self._on_turn(old, new)

    def _frame_of(self, now: float) -> float:
        """The time that the frame of this moment counts from: its due time, if it is about now."""
        return self.next_frame if -EARLY_SECONDS <= now - self.next_frame <= LATE_SECONDS else now

    def _is_shown(self, record: Record) -> bool:
        return self.shown is not None and (self.shown.epoch, self.shown.version) == (record.epoch, record.version)

    def _turn_to(self, record: Record) -> Top:
        self.shown = top = self._read(record)
        self._snapshot = None
        self._missed.clear()
        return top

    def _update(self, before: Top, after: Top) -> Shown:
        told = {user_id for user_id, version in self._renamed.items() if before.version < version <= after.version}
        return Shown("leaderboard.update", frames.update(before, after, told), after)

    def retire(self) -> None:
        """Shows nothing more of what it holds, as when another one takes over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def next_frame(self) -> float:
        """When the next frame may go out, in the loop's time."""
        return self._last_frame + (FRAME_SECONDS if self.audience else UNWATCHED_SECONDS)

    def snapshot(self) -> Shown | None:
        """The last shown top as a snapshot; None before the first."""
        if self._timer is not None and not self.audience:
            self.retire()
            self._show()
        if self._snapshot is None and self.shown is not None:
            self._snapshot = snapshot_of(self.shown)
        return self._snapshot

    def since(self, epoch: str, version: int) -> Shown | None:
        """What a viewer at a position has missed: a delta, a snapshot, or nothing when it is current.

        One that is ahead of what was shown here is told all that this pod knows; where that is still behind, it gets a
        snapshot, which a viewer leaves aside as old.
        """
        shown = self.shown
        if self._timer is not None and shown is not None and epoch == shown.epoch and version > shown.version:
            self.retire()
            self._show()
            shown = self.shown
        if shown is None or (epoch == shown.epoch and version == shown.version):
            return None
        held = self._held.get(version) if epoch == shown.epoch and version < shown.version else None
        return self.snapshot() if held is None else self._since(held[0])

    def _since(self, record: Record) -> Shown | None:
        missed = self._missed.get(record.version)
        if missed is None and self.shown is not None:
            missed = self._missed[record.version] = self._update(self._read(record), self.shown)
        return missed
