"""The data folder: its paths, its lock, its files."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from models.drafts import draft_of, sweep
from server.embedded.errors import EmbeddedError, FolderInUse

LOG_LIMIT_BYTES = 16 << 20  # a longer log is put aside when its writer starts
LOCK_PAUSE_SECONDS = 0.05

Pause = Callable[[float], None]


class DataFolder:
    """What `.laurel` holds; readable by its owner only."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.postgres = self.root / "postgres"
        self.redis = self.root / "redis"
        self.log = self.root / "log"
        self.secrets = self.root / "secrets.env"
        self.runtime = self.root / "runtime.json"
        self.ports = self.root / "ports.json"
        self._lock = self.root / "up.lock"

    @classmethod
    def prepare(cls, root: Path) -> Self:
        """Makes the folder; raises EmbeddedError when it cannot be written."""
        folder = cls(root)
        try:
            folder.root.mkdir(parents=True, exist_ok=True)
            # As root, PostgreSQL runs as another user, who must pass through to its own folder.
            folder.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
            folder.log.mkdir(mode=0o700, exist_ok=True)
            folder.redis.mkdir(mode=0o700, exist_ok=True)
            folder._lock.touch(mode=0o600)
        except OSError as error:
            raise EmbeddedError(f"cannot write to the data folder {folder.root}: {error.strerror}") from error
        return folder

    def write_private(self, path: Path, text: str) -> None:
        """Replaces a file at once, readable by its owner only."""
        draft = draft_of(path)
        try:
            sweep(path)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise EmbeddedError(f"cannot write {path}: {error.strerror}") from error

    def log_path(self, name: str) -> Path:
        return self.log / f"{name}.log"

    def open_log(self, name: str) -> BinaryIO:
        """Opens a log for appending, a very long one afresh."""
        path = self.log_path(name)
        try:
            if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
                path.replace(path.with_suffix(".log.1"))
            return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
        except OSError as error:
            raise EmbeddedError(f"cannot write {path}: {error.strerror}") from error

    @contextmanager
    def locked(self, wait_seconds: float = 0, pause: Pause = time.sleep) -> Iterator[None]:
        """Holds the folder; raises FolderInUse when it stays taken.

        The lock is the kernel's and ends with the process that holds it, however that dies.
        """
        deadline = time.monotonic() + wait_seconds
        with self._lock.open("wb") as file:
            while not _try_lock(file):
                if time.monotonic() >= deadline:
                    raise FolderInUse(f"another process is using the data folder {self.root}")
                pause(LOCK_PAUSE_SECONDS)
            yield

    @contextmanager
    def secrets_locked(self) -> Iterator[None]:
        """Holds the secrets alone, for the moment that a change takes; waits for whoever holds them."""
        with (self.root / "secrets.lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def is_held(self) -> bool:
        """Whether some process holds the folder right now."""
        try:
            with self._lock.open("rb") as file:
                return not _try_lock(file)
        except FileNotFoundError:
            return False


def _try_lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
