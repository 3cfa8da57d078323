"""What every child process of `laurel up` has in common."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from server.embedded.errors import EmbeddedError
from server.embedded.folder import DataFolder

OWN_CODE = ("-P", "-m")
"""Runs a module of this installation or of PYTHONPATH, never one that lies in the current folder."""


class Spawned:
    """A process that may run or not; its log stands in the data folder."""

    def __init__(self, folder: DataFolder, name: str) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.name = name

    @property
    def pid(self) -> int | None:
        """None before the first start."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self._folder.log_path(self.name)

    def exit_code(self) -> int | None:
        """None while it runs, and before the first start."""
        return self._process.poll() if self._process else None

    def _spawn(self, command: Sequence[str], log: BinaryIO, **options: Any) -> subprocess.Popen[bytes]:
        """Runs in a session of its own: Ctrl-C must not reach it. Raises EmbeddedError."""
        try:
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **options)
        except OSError as error:
            raise EmbeddedError(f"cannot run {command[0]}: {error.strerror}") from error
