"""Own measures in locust's tables and charts; one per process."""

import time
from pathlib import Path

import gevent
import psutil
from locust.env import Environment

from loadtests.load.measured import OWN
from loadtests.load.told import Began, Diary, Ended, Line, Seen

MOST_PENDING = 4096
SAMPLED_VIEWERS = 3
"""Viewers of a process whose first sights are written down for the verdict."""
CPU_EVERY_SECONDS = 1.0
CPU = "generator CPU, % of a core"

Key = tuple[str, int]


class Measures:
    """What this process noted: events for locust, lines for the verdict."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._diary: Diary | None = None
        self._sent: dict[Key, float] = {}
        self._early: dict[Key, list[float]] = {}
        self._process = psutil.Process()
        self._started = (0.0, 0.0)
        self._busiest = 0.0
        self._watching: gevent.Greenlet | None = None
        self.busy_percent = 0.0

    def begin(self) -> None:
        """A run begins in this process."""
        self._diary = Diary(self._folder)
        self.note(Began(time.time()))
        self._started = (time.monotonic(), self._cpu_seconds())
        self._busiest = 0.0
        self._watching = gevent.spawn(self._watch)

    def end(self) -> None:
        """All people of this process are gone."""
        if self._watching is None:
            return
        self._watching.kill()
        self._watching = None
        wall, cpu = self._started
        self.note(Ended(self._cpu_seconds() - cpu, time.monotonic() - wall, self._busiest))

    def note(self, line: Line) -> None:
        if self._diary is not None:
            self._diary.note(line)

    def fire(self, name: str, milliseconds: float, exception: Exception | None = None, kind: str = OWN) -> None:
        """One line of locust's tables."""
        self._environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=milliseconds,
            response_length=0,
            exception=exception,
            context={},
        )

    def answered(self, user_id: str, score: int, sent: float) -> None:
        """A redemption that viewers will see, or saw before its answer came."""
        _bounded(self._sent)[user_id, score] = sent
        for at in self._early.pop((user_id, score), ()):
            self._shown(at - sent)

    def seen(self, viewer: str, user_id: str, score: int, *, sampled: bool) -> None:
        """A viewer has a score on its screen for the first time."""
        now = time.time()
        sent = self._sent.get((user_id, score))
        if sent is not None:
            self._shown(now - sent)
        else:
            _bounded(self._early).setdefault((user_id, score), []).append(now)
        if sampled:
            self.note(Seen(viewer, user_id, score, now))

    def _shown(self, seconds: float) -> None:
        self.fire("sent → screen (commit → screen, at most)", seconds * 1000)

    def _cpu_seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _watch(self) -> None:
        self._process.cpu_percent()
        while True:
            gevent.sleep(CPU_EVERY_SECONDS)
            self.busy_percent = self._process.cpu_percent()
            self._busiest = max(self._busiest, self.busy_percent)
            self.fire(CPU, self.busy_percent)


def _bounded(pending: dict) -> dict:  # type: ignore[type-arg]
    if len(pending) >= MOST_PENDING:
        del pending[next(iter(pending))]
    return pending
