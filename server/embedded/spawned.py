"""What every child process of `laurel up` has in common."""

import subprocess
from pathlib import Path

from server.embedded.folder import DataFolder


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
