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
    """One connection that watches a board; `stalled_since` when its buffer was found to be full, in the loop's time."""

    __slots__ = ("cut", "form", "outlet", "stalled_since")

    def __init__(self, outlet: Outlet, cut: Callable[[], None], form: Form) -> None:
        self.outlet = outlet
        self.cut = cut
        self.form = form
        self.stalled_since = 0.0


class Audience:
    """The viewers of one board on this pod.

    A viewer whose buffer is found to be above the limit gets nothing until it has drained, and then the newest state;
    one that does not drain within the deadline is cut off. So a slow viewer costs a bounded amount of memory: the limit
    and the frames between two looks at the buffers. To look at each viewer's for each frame took a twentieth of it.
    """

    def __init__(self, buffer_limit: int, stall_seconds: float) -> None:
        self._buffer_limit = buffer_limit
        self._stall_seconds = stall_seconds
        # Not sets, for these are walked and dense; by outlet, so that a walk touches nothing else of a viewer.
        self._keeping_up: dict[Form, dict[Outlet, Viewer]] = {}
        self._behind: dict[Viewer, None] = {}
        self._backwards = True
        self._clock = asyncio.get_running_loop().time
        self.delivered = 0
        self.conflated = 0
        self.cut_off = 0

    def __len__(self) -> int:
        return sum(map(len, self._keeping_up.values())) + len(self._behind)

    def join(self, viewer: Viewer) -> None:
        """Adds a viewer, from the next frame on."""
        self._keeping_up.setdefault(viewer.form, {})[viewer.outlet] = viewer

    def leave(self, viewer: Viewer) -> None:
        """Removes a viewer."""
        self._keeping_up.get(viewer.form, {}).pop(viewer.outlet, None)
        self._behind.pop(viewer, None)

    def show(self, shown: Shown | None, source: Catches) -> None:
        """Writes one frame to everybody who keeps up, in turns from either end: who came last is not always last."""
        if shown is None:
            return
        self._backwards = not self._backwards
        for form, outlets in self._keeping_up.items():
            if not outlets:
                continue
            frame, refused = shown.frame(form), 0
            for outlet in reversed(outlets) if self._backwards else outlets:
                try:  # as `written`, whose call would cost a twentieth of a frame here
                    outlet.write(frame)
                except RuntimeError:
                    refused += 1
            self.delivered += len(outlets) - refused
        self.conflated += len(self._behind)
        self._catch_up(source)

    def start(self, viewer: Viewer, shown: Shown | None) -> None:
        """Writes what one viewer goes on from; to one whose buffer is full, the newest state once it has drained."""
        if shown is None:
            return
        if viewer.outlet.get_write_buffer_size() > self._buffer_limit:
            self._fall_behind(viewer)
        elif written(viewer.outlet, shown.frame(viewer.form)):
            self.delivered += 1

    def _fall_behind(self, viewer: Viewer) -> None:
        if viewer not in self._behind:
            self.leave(viewer)
            self._behind[viewer] = None
            viewer.stalled_since = self._clock()

    def sweep(self, source: Catches) -> None:
        """Finds those who fall behind, catches up those who have drained, and cuts off those who do not."""
        limit = self._buffer_limit
        for outlets in self._keeping_up.values():
            for viewer in [viewer for outlet, viewer in outlets.items() if outlet.get_write_buffer_size() > limit]:
                self._fall_behind(viewer)
        self._catch_up(source)

    def _catch_up(self, source: Catches) -> None:
        if not self._behind:
            return
        shown, now = source.snapshot(), self._clock()
        for viewer in list(self._behind):
            if shown is not None and viewer.outlet.get_write_buffer_size() == 0:
                del self._behind[viewer]
                self.join(viewer)
                self.start(viewer, shown)
            elif now - viewer.stalled_since > self._stall_seconds:
                self.leave(viewer)
                self.cut_off += 1
                viewer.cut()
