"""Children watched and started again, until a signal says stop."""

import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol, Self

from server.embedded.errors import EmbeddedError
from server.embedded.folder import Pause
from server.embedded.pods import ending

FIRST_BACKOFF_SECONDS = 0.2
LAST_BACKOFF_SECONDS = 5.0
HEALTHY_SECONDS = 30.0  # after this long a child's former failures are forgotten
LOOK_SECONDS = 1.0  # SIGCHLD wakes the watch at once; this is for what it may miss
HASTE_SIGNALS = 2

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """A signal asked to stop while something was being started."""


class Signals:
    """Counts the signals that ask to stop; wakes whoever waits. What is ignored, as under nohup, stays so."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._former_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        noted = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        self._former = {number: signal.signal(number, self._note) for number in (*noted, signal.SIGCHLD)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)
        signal.set_wakeup_fd(self._former_fd)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float) -> None:
        """Returns early when any signal arrives."""
        if select.select([self._reader], [], [], seconds)[0]:
            self._reader.recv(4096)

    def pause(self, seconds: float) -> None:
        """As wait, but raises Stopped once asked to stop."""
        self.wait(seconds)
        if self.count:
            raise Stopped

    def hastened(self) -> bool:
        return self.count >= HASTE_SIGNALS

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += number in STOP_SIGNALS


class Child(Protocol):
    name: str

    @property
    def log(self) -> Path: ...
    def exit_code(self) -> int | None: ...
    def start(self, pause: Pause = ...) -> None: ...


class Watched:
    """One child and how long it waits if it fails again."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self._backoff = FIRST_BACKOFF_SECONDS
        self._started = time.monotonic()
        self._retry: float | None = None

    def look(self, pause: Pause, say: Callable[[str], None]) -> bool:
        """Starts a dead child again when its time has come; says so."""
        now = time.monotonic()
        code = self.child.exit_code()
        if code is None:
            return False
        if self._retry is None:
            self._backoff = FIRST_BACKOFF_SECONDS if now - self._started > HEALTHY_SECONDS else self._backoff
            self._put_off(now, f"{self.child.name} {ending(code)}", say)
        if now < (self._retry or now):
            return False
        self._started, self._retry = now, None
        try:
            self.child.start(pause)
        except (EmbeddedError, OSError) as error:
            self._put_off(time.monotonic(), str(error), say)
            return False
        say(f"{self.child.name} is started again")
        return True

    def seconds_left(self) -> float:
        return LOOK_SECONDS if self._retry is None else max(0.0, self._retry - time.monotonic())

    def _put_off(self, now: float, why: str, say: Callable[[str], None]) -> None:
        seconds, self._backoff = self._backoff, min(2 * self._backoff, LAST_BACKOFF_SECONDS)
        self._retry = now + seconds
        say(f"{why} (log: {self.child.log}); starting it again in {seconds:.1f} s")


def watch(children: Sequence[Child], signals: Signals, changed: Callable[[], None], say: Callable[[str], None]) -> None:
    """Keeps the children running until a signal asks to stop; tells of changes again until that succeeds."""
    watched = [Watched(child) for child in children]
    told = True
    while not signals.count:
        told = told or _tells(changed, say)
        for each in watched:
            if each.look(signals.pause, say):
                told = _tells(changed, say)
        signals.wait(min(each.seconds_left() for each in watched))


def _tells(changed: Callable[[], None], say: Callable[[str], None]) -> bool:
    try:
        changed()
    except EmbeddedError as error:
        say(str(error))
        return False
    return True
