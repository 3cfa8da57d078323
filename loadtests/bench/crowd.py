"""A process of viewers, as the rows use it."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Self

import msgspec

from loadtests.bench.processes import BenchError, cpu_seconds
from loadtests.bench.viewers import Counted
from server.embedded.processes import end_child

LIVE = "/api/v1/live"
STEPS = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


class Crowd:
    """So many viewers, connected when entered and gone afterwards; `noted` keeps every frame with its time."""

    def __init__(self, count: int, ports: Sequence[int], *, noted: bool = False) -> None:
        self._arguments = [str(count), "noted" if noted else "counted", ",".join(map(str, ports)), LIVE]
        self._count = count
        self._process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "loadtests.bench.viewers", *self._arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            if (found := self._read()).connected != self._count:
                raise BenchError(f"only {found.connected} of {self._count} viewers connected")
        except BaseException:
            end_child(self._process, STEPS)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        end_child(self._process, STEPS)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def ask(self) -> Counted:
        """What was read so far; raises BenchError when a viewer was lost."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        found = self._read()
        if found.lost:
            raise BenchError(f"{found.lost} viewers lost their connection")
        return found

    def _read(self) -> Counted:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError("the viewers ended")
        return msgspec.json.decode(line, type=Counted)

    @property
    def cpu(self) -> float:
        """CPU seconds of the viewers so far."""
        return cpu_seconds(self._process.pid)
