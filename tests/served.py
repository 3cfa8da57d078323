"""A single pod as a container runs it: `laurel serve` against servers that somebody else looks after."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from server.embedded.secrets import GENERATORS
from tests.laurel_process import ROOT, free_ports, is_ready, until

STOP_SECONDS = 40


class ServedPod:
    """Use as a context manager; its output goes to a file in a folder."""

    def __init__(self, folder: Path, environ: Mapping[str, str], port: int | None = None) -> None:
        self.port = port or free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"pod-{self.port}.log"
        own = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
        given = {"LAUREL_LOG_FORMAT": "json", "LAUREL_PORT": str(self.port), "LAUREL_DATA": str(folder / "data")}
        self._environ = own | given | dict(environ)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> Self:
        """Returns at once; see `await_ready`."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "server", "serve"]
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environ, stdout=log, stderr=log)
        return self

    def await_ready(self, seconds: float = 60) -> Self:
        until(lambda: self._process.poll() is not None or is_ready(self.url), seconds)
        assert self._process.poll() is None, self.log.read_text()
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Asks it to stop; its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise


def secrets() -> dict[str, str]:
    """Keys of every kind, as the environment takes them."""
    return {name: make() for name, make in GENERATORS.items()}
