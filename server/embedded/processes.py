"""Processes known by pid and start, ended step by step."""

import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from server.embedded.folder import Pause

POLL_SECONDS = 0.02
CREATE_TIME_SLACK_SECONDS = 0.05  # psutil derives it from clock ticks

Step = tuple[signal.Signals, float]  # a signal, and the seconds it gets


@dataclass(frozen=True, slots=True)
class ProcessKey:
    """A pid is used again, with its creation time it is not."""

    pid: int
    create_time: float

    @classmethod
    def of(cls, pid: int) -> "ProcessKey":
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return cls(pid, 0.0)

    def find(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.create_time) > CREATE_TIME_SLACK_SECONDS:
                return None
        except psutil.NoSuchProcess:
            return None
        return process if lives(process) else None


def lives(process: psutil.Process) -> bool:
    """A zombie does not: in a container nobody may ever collect it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def working_in(folder: Path, name: str) -> list[psutil.Process]:
    """Processes of that name whose working directory is the folder."""
    real = str(folder.resolve())
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == name:
            try:
                if lives(process) and process.cwd() == real:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
    return found


def end_processes(processes: Iterable[psutil.Process], steps: Sequence[Step]) -> None:
    """Sends each signal in turn to those that still live."""
    alive = list(processes)
    for number, seconds in steps:
        for process in alive:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        alive = await_end(alive, seconds)
        if not alive:
            return


def await_end(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still live when the time is over."""
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if lives(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return alive


def end_child(process: subprocess.Popen[bytes], steps: Sequence[Step], pause: Pause = time.sleep) -> None:
    """Sends each signal in turn until the child is gone."""
    for number, seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(number)
        deadline = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < deadline:
            pause(POLL_SECONDS)
    process.wait()
