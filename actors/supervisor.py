"""The only place that creates tasks."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from actors.errors import Busy

log = logging.getLogger("laurel.supervisor")

T = TypeVar("T")

FIRST_DELAY_SECONDS = 0.05
LONGEST_DELAY_SECONDS = 5.0
HEALTHY_AFTER_SECONDS = 30.0
"""A loop that ran this long starts again with the first delay."""
MAX_RESTARTS = 20
"""Restarts in a row, without a healthy stretch, after which the pod reports not ready."""
CANCEL_AGAIN_SECONDS = 1.0
MAX_DETACHED = 256
"""Jobs under way at once for requests; more are refused."""


class Supervisor:
    """Owns every task by name: loops are restarted with backoff, jobs run to their end.

    A loop that keeps failing makes the pod report not ready (`failing`), and goes on being restarted.
    """

    def __init__(self) -> None:
        self._loops: dict[str, asyncio.Task[None]] = {}
        self._jobs: set[asyncio.Task[Any]] = set()
        self.restarts: dict[str, int] = {}
        self.failing: set[str] = set()

    def keep(self, name: str, body: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs a loop for good, restarting it when it raises or returns."""
        self.restarts.setdefault(name, 0)  # so that whoever counts sees the first one
        self._loops[name] = asyncio.create_task(self._keep(name, body), name=name)

    async def _keep(self, name: str, body: Callable[[], Coroutine[Any, Any, None]]) -> None:
        delay, in_a_row = FIRST_DELAY_SECONDS, 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            healthy = loop.call_later(HEALTHY_AFTER_SECONDS, self.failing.discard, name)
            try:
                await body()
            except Exception:
                log.exception("loop failed", extra={"loop": name})
            finally:
                healthy.cancel()
            if loop.time() - began > HEALTHY_AFTER_SECONDS:
                delay, in_a_row = FIRST_DELAY_SECONDS, 0
            in_a_row += 1
            self.restarts[name] = self.restarts[name] + 1
            if in_a_row > MAX_RESTARTS:
                self.failing.add(name)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)

    async def detached(self, name: str, work: Coroutine[Any, Any, T]) -> T:
        """The result of a job that ends even when the caller is cancelled; raises Busy when too many are under way."""
        if len(self._jobs) >= MAX_DETACHED:
            work.close()
            raise Busy("too many requests under way")
        task = asyncio.create_task(work, name=name)
        self._jobs.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._jobs.discard(task)
        if not task.cancelled():
            task.exception()  # marks it as seen: the caller may be gone

    async def stop_loop(self, name: str) -> None:
        """Cancels a loop and waits for its end."""
        task = self._loops.pop(name, None)
        if task is not None:
            await _cancelled([task])

    async def stop(self, timeout_seconds: float) -> None:
        """Lets jobs end, then cancels what is left."""
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=timeout_seconds)
        try:
            async with asyncio.timeout(timeout_seconds):
                await _cancelled([*self._jobs, *self._loops.values()])
        except TimeoutError:
            log.warning("still running: %s", sorted(name for name, task in self._loops.items() if not task.done()))
        self._loops.clear()


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels until all have ended: `asyncio.wait_for` of Python 3.11 loses a cancellation that comes with a result."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_SECONDS)
