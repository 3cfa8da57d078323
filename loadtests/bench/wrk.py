"""wrk as the generator: one request after the other on each connection."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from loadtests.bench.processes import BenchError

SCRIPT = Path(__file__).with_name("redeem.lua")
PREFIX = b"JSON "


@dataclass(frozen=True, slots=True)
class Load:
    """What one wrk shall do: `pause_ms` is the mean pause of a connection, 0 for none.

    Of its `seconds` the first three tenths are for connecting.
    """

    connections: int
    seconds: float
    tickets: Path
    again: bool = False
    pause_ms: float = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back; times in seconds, `cpu` is the generator's own."""

    answers: int
    refused: int
    seconds: float
    p50: float
    p99: float
    cpu: float

    @property
    def rate(self) -> float:
        """Answers a second that were a success."""
        return (self.answers - self.refused) / self.seconds


class Printed(msgspec.Struct, frozen=True):
    """What the script prints; times in microseconds."""

    answers: int
    micros: int
    p50: float
    p99: float
    refused: int
    failed: int


class Generator:
    """One wrk with one thread under way; `finish` waits for its end."""

    def __init__(self, url: str, load: Load) -> None:
        program = shutil.which("wrk")
        if program is None:
            raise BenchError("wrk is not installed (Debian and Ubuntu: apt install wrk)")
        self._seconds = load.seconds
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 — closed by finish
        mode = "again" if load.again else "once"
        command: list[Any] = [program, "-t1", f"-c{load.connections}", f"-d{max(1, round(load.seconds))}s"]
        command += ["--timeout", "10s", "-s", SCRIPT, url, "--", load.tickets, mode, f"{load.pause_ms:.0f}"]
        command += [load.connections]
        self._process = subprocess.Popen(list(map(str, command)), stdout=self._output, stderr=subprocess.STDOUT)

    def finish(self) -> Answers:
        """What was answered; raises BenchError when anything but answers came."""
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        with self._output:
            self._output.seek(0)
            text = self._output.read()
        line = next((line for line in text.splitlines() if line.startswith(PREFIX)), None)
        if line is None:
            raise BenchError(f"wrk failed: {text.decode(errors='replace')}")
        found = msgspec.json.decode(line.removeprefix(PREFIX), type=Printed)
        if found.failed:
            raise BenchError(f"wrk lost {found.failed} connections or answers")
        return Answers(
            found.answers,
            found.refused,
            found.micros / 1e6,
            found.p50 / 1e6,
            found.p99 / 1e6,
            usage.ru_utime + usage.ru_stime,
        )


def run(url: str, load: Load) -> Answers:
    """Runs one load to its end; raises BenchError also when an answer was no success."""
    found = Generator(url, load).finish()
    if found.refused or not found.answers:
        raise BenchError(f"{found.refused} of {found.answers} answers were no success")
    return found
