"""Who watches: the same bytes to everybody, and nobody who holds up the rest."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from actors.shown import Form, Shown


class Outlet(Protocol):
    """A connection's transport, as far as an audience needs it."""

    def write(self, data: bytes) -> None:
        """Hands bytes over without waiting."""

    def get_write_buffer_size(self) -> int:
        """Bytes handed over and not yet taken by the network."""
        ...


def written(outlet: Outlet, frame: bytes) -> bool:
    """Whether a connection took a frame; one that is being closed does not, and its viewer leaves soon."""
    try:
        outlet.write(frame)
    except RuntimeError:  # what a transport raises once it, or its sending half, is closed
        return False
    return True


class Catches(Protocol):
    """What a viewer that fell behind is caught up from."""

    def snapshot(self) -> Shown | None:
        """The newest state."""
        ...


class Viewer:
    """One connection that watches a board.

    `behind` since when it has missed frames, in the loop's time; its buffer was above the limit then.
    """

    __slots__ = ("behind", "cut", "form", "outlet", "stalled_since")

    def __init__(self, outlet: Outlet, cut: Callable[[], None], form: Form) -> None:
        self.outlet = outlet
        self.cut = cut
        self.form = form
        self.behind = False
        self.stalled_since: float | None = None


class Audience:
    """The viewers of one board on this pod.

    A viewer whose buffer is above the limit gets nothing until it has drained, and then the newest state; one that does
    not drain within the deadline is cut off. So a slow viewer costs a bounded amount of memory.
    """

    def __init__(self, buffer_limit: int, stall_seconds: float) -> None:
        self._buffer_limit = buffer_limit
        self._stall_seconds = stall_seconds
        self._viewers: dict[Form, dict[Viewer, None]] = {}  # not sets: these are walked, and dense
        self._backwards = True
        self._late: set[Viewer] = set()
        self._clock = asyncio.get_running_loop().time
        self.delivered = 0
        self.conflated = 0
        self.cut_off = 0

    def __len__(self) -> int:
        return sum(map(len, self._viewers.values()))

    def join(self, viewer: Viewer) -> None:
        """Adds a viewer, from the next frame on."""
        self._viewers.setdefault(viewer.form, {})[viewer] = None

    def leave(self, viewer: Viewer) -> None:
        """Removes a viewer."""
        self._viewers.get(viewer.form, {}).pop(viewer, None)
        self._late.discard(viewer)

    def show(self, shown: Shown | None, source: Catches) -> None:
        """Writes one frame to everybody who keeps up, in turns from either end: who came last is not always last."""
        if shown is None:
            return
        limit, delivered, self._backwards = self._buffer_limit, 0, not self._backwards
        for form, viewers in self._viewers.items():
            if not viewers:
                continue
            frame = shown.frame(form)
            for viewer in reversed(viewers) if self._backwards else viewers:
                outlet = viewer.outlet
                if viewer.behind or outlet.get_write_buffer_size() > limit:
                    self._fall_behind(viewer)
                    continue
                try:  # as `written`, whose call would cost a twentieth of a frame here
                    outlet.write(frame)
                except RuntimeError:
                    continue
                delivered += 1
        self.delivered += delivered
        if self._late:
            self.sweep(source)

    def start(self, viewer: Viewer, shown: Shown | None) -> None:
        """Writes what one viewer goes on from; to one whose buffer is full, the newest state once it has drained."""
        if shown is None:
            return
        if viewer.outlet.get_write_buffer_size() > self._buffer_limit:
            self._fall_behind(viewer)
        elif written(viewer.outlet, shown.frame(viewer.form)):
            self.delivered += 1

    def _fall_behind(self, viewer: Viewer) -> None:
        self.conflated += 1
        if not viewer.behind:
            viewer.behind = True
            viewer.stalled_since = self._clock()
            self._late.add(viewer)

    def sweep(self, source: Catches) -> None:
        """Catches up those who have drained, and cuts off those who do not."""
        if not self._late:
            return
        shown, now = source.snapshot(), self._clock()
        for viewer in list(self._late):
            outlet = viewer.outlet
            if shown is not None and outlet.get_write_buffer_size() == 0:
                viewer.behind, viewer.stalled_since = False, None
                self._late.discard(viewer)
                if written(outlet, shown.frame(viewer.form)):
                    self.delivered += 1
            elif viewer.stalled_since is not None and now - viewer.stalled_since > self._stall_seconds:
                self.leave(viewer)
                self.cut_off += 1
                viewer.cut()
