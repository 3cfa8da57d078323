"""Processes of the benchmark: started, measured, stopped."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from server.embedded.ports import LOOPBACK, any_free
from server.embedded.processes import end_child

START_SECONDS = 30.0
POLL_SECONDS = 0.05
STOP_STEPS = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))


class BenchError(Exception):
    """A measurement that could not be made, or is not one."""


class Contestant:
    """A server that Laurel is compared with, on a port of its own; `python -m MODULE PORT ARGUMENTS…`."""

    def __init__(self, module: str, arguments: Sequence[str], log: Path, environ: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-m", module]
        self._arguments = list(arguments)
        self._log = log
        self._environ = dict(environ)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = any_free()

    @property
    def pid(self) -> int:
        """The process that serves; raises BenchError before the start."""
        if self._process is None:
            raise BenchError("not started")
        return self._process.pid

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://{LOOPBACK}:{self.port}"

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, str(self.port), *self._arguments],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._await_port(self._process)
        except BaseException:
            end_child(self._process, STOP_STEPS)
            raise
        return self

    def _await_port(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
                return
            time.sleep(POLL_SECONDS)
        raise BenchError(f"{' '.join(self._command)} did not start: see {self._log}")

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            end_child(self._process, STOP_STEPS)


def cpu_seconds(pid: int) -> float:
    """CPU that a process and its children have used so far, ended children included."""
    parent = psutil.Process(pid)
    own = parent.cpu_times()
    total: float = own.user + own.system + own.children_user + own.children_system
    for child in parent.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def machine_seconds() -> float:
    """CPU that everybody on this machine has used so far."""
    times = psutil.cpu_times()
    total: float = sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
    return total


def private_bytes(pid: int) -> int:
    """Memory that would be free if the process ended (USS); kernel socket buffers are not in it."""
    found: int = psutil.Process(pid).memory_full_info().uss
    return found
