"""Passwords: Argon2id, off the loop, in a small pool."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from actors.errors import Busy

THREADS = 2
MAX_WAITING = 64
"""Hashes asked for at once; 64 of 23 ms on two threads keep the last one waiting under a second."""

# OWASP's minimum for Argon2id: 19 MiB, two passes, one lane (23 ms; the library's defaults take 78 ms and 64 MiB).
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Passwords:
    """Hashes and checks passwords; more than a bounded number at once are refused with Busy."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0
        # Checked in place of an unknown account's hash, so that both take the same time.
        self._nobody = _HASHER.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """The hash of a new password."""
        return str(await self._run(_HASHER.hash, password))

    async def matches(self, known_hash: str | None, password: str) -> bool:
        """Whether a password is right; takes as long without an account."""
        matches = await self._run(_check, known_hash or self._nobody, password)
        return bool(matches) and known_hash is not None

    async def _run(self, work: object, *arguments: str) -> object:
        if self._waiting >= MAX_WAITING:
            raise Busy("too many log-ins under way")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)  # type: ignore[arg-type]
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Ends the pool."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _check(known_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(known_hash, password)
    except (Argon2Error, InvalidHashError):
        return False
