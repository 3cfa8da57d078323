"""Players that play, as a supervised child of `laurel up --demo`."""

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from server.embedded.folder import DataFolder, Pause
from server.embedded.processes import end_child
from server.embedded.spawned import OWN_CODE, Spawned

PASSWORD_BYTES = 24
STOP_STEPS = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))


class Demo(Spawned):
    """One `python -m loadtests.demo`; it writes nothing that its end could break.

    It ends with `up`, even a killed one: nobody else holds the other end of its standard input.
    """

    def __init__(self, folder: DataFolder, urls: Sequence[str]) -> None:
        super().__init__(folder, "demo")
        self._urls = urls

    def start(self, pause: Pause = time.sleep) -> None:
        """Starts the process; it waits for the pods by itself."""
        del pause
        self._close_stdin()
        options = ["--with-stdin", "--password-file", str(self._password_file())]
        addresses = [part for url in self._urls for part in ("--url", url)]
        with self._folder.open_log(self.name) as log:
            command = [sys.executable, *OWN_CODE, "loadtests.demo", *options, *addresses]
            self._process = self._spawn(command, log, stdin=subprocess.PIPE)

    def stop(self, pause: Pause = time.sleep) -> None:
        if self._process:
            end_child(self._process, STOP_STEPS, pause)
        self._close_stdin()

    def _close_stdin(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()

    def _password_file(self) -> Path:
        """The players' password, generated once."""
        path = self._folder.root / "demo.json"
        if not path.exists():
            password = {"password": secrets.token_urlsafe(PASSWORD_BYTES)}
            self._folder.write_private(path, msgspec.json.encode(password).decode())
        return path
