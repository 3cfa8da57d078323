"""Follows keys that change in the data folder while the pod runs."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from actors.beat import until_beat
from actors.supervisor import Supervisor
from models.drafts import draft_of
from server.embedded.errors import EmbeddedError
from server.keys import Named
from server.settings import Settings, SettingsError

log = logging.getLogger("laurel.keys")

INTERVAL_SECONDS = 1.0
FOLDER = "keys"

Reread = Callable[[], Settings]


class Taken(msgspec.Struct, frozen=True):
    """Which keys a pod has in force: ids by purpose, the one that signs last."""

    pid: int
    keys: dict[str, list[str]]


def taken_path(data: Path, port: int) -> Path:
    """Where the pod on a port says which keys it has taken."""
    return data / FOLDER / f"{port}.json"


def rotated(settings: Settings) -> dict[str, Sequence[Named]]:
    """The lists of keys that may change while a pod runs, by purpose."""
    return {"jwt": settings.jwt_keys, "ticket": settings.ticket_keys, "receipt": settings.receipt_keys}


class KeyWatch:
    """Reads the settings again when the folder's secrets change, and says so in a file of its own.

    A key may sign only after every pod accepts it, so whoever changes the keys waits for these files.

    Failure policy: secrets that cannot be read leave the present keys in force, and are read again.
    """

    def __init__(self, settings: Settings, reread: Reread, adopt: Callable[[Settings], None]) -> None:
        self._secrets = settings.data / "secrets.env"
        self._path = taken_path(settings.data, settings.port)
        self._reread = reread
        self._adopt = adopt
        self._in_force = settings
        self._seen: tuple[int, ...] | None = None
        self._complained: tuple[int, ...] | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Starts looking."""
        supervisor.keep("keys", self._work)

    async def _work(self) -> None:
        while True:
            seen = await asyncio.to_thread(self._look)
            if seen is not None and seen != self._seen:
                try:
                    await self._take()
                    self._seen = seen
                except (SettingsError, EmbeddedError, OSError) as error:
                    if seen != self._complained:
                        log.error("the keys stay as they are: %s", error)
                    self._complained = seen
            await asyncio.sleep(until_beat(INTERVAL_SECONDS))

    async def _take(self) -> None:
        read = await asyncio.to_thread(self._reread)
        read.require_secrets()
        if rotated(read) != rotated(self._in_force):
            self._adopt(read)
            self._in_force = read
            log.info("other keys are in force")
        await asyncio.to_thread(self._tell)

    def _look(self) -> tuple[int, ...] | None:
        try:
            found = self._secrets.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    def _tell(self) -> None:
        """Writes which keys are in force, in one step."""
        kids = {purpose: [key.kid for key in keys] for purpose, keys in rotated(self._in_force).items()}
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = draft_of(self._path)
        draft.write_bytes(msgspec.json.encode(Taken(os.getpid(), kids)))
        draft.replace(self._path)


def taken(data: Path, port: int) -> Taken | None:
    """What a pod said last; None when it has not, or in parts."""
    try:
        return msgspec.json.decode(taken_path(data, port).read_bytes(), type=Taken)
    except (OSError, msgspec.MsgspecError):
        return None
