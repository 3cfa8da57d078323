"""Where the keys of an outside issuer come from: an address or a file, read again and again."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiohttp

from actors.supervisor import Supervisor
from server.jwks import MAX_BYTES, JwksError, parse_jwks
from server.verifying import VerifyingKey

log = logging.getLogger("laurel.keys")

FETCH_SECONDS = 5.0
RETRY_SECONDS = 5.0
"""After a failure, and the least time between two fetches that unknown keys ask for."""
PATIENCE_SECONDS = 3.0
"""How long a request waits for a fetch under way."""

FAILURES = (OSError, TimeoutError, aiohttp.ClientError, JwksError)


class KeySource:
    """Reads a set of keys at intervals, and sooner when a key is not in it.

    Failure policy: a set that cannot be fetched, or holds nothing usable, leaves the present one in force.
    """

    def __init__(
        self, address: str, refresh_seconds: float, adopt: Callable[[Mapping[str, VerifyingKey]], None]
    ) -> None:
        self._address = address
        self._refresh_seconds = refresh_seconds
        self._retry_seconds = min(RETRY_SECONDS, refresh_seconds)
        self._adopt = adopt
        self._tried = float("-inf")
        self._busy = False
        self._asked = asyncio.Event()
        self._finished = asyncio.Event()

    def start(self, supervisor: Supervisor) -> None:
        """Starts reading."""
        supervisor.keep("jwks", self._work)

    async def learn(self) -> None:
        """Waits a little for a newer set, unless there was just a try."""
        if not self._busy:
            if asyncio.get_running_loop().time() - self._tried < self._retry_seconds:
                return
            self._asked.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._finished.wait()

    async def _work(self) -> None:
        while True:
            self._asked.clear()
            pause = await self._try()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._asked.wait()

    async def _try(self) -> float:
        """Reads the set once; how long until the next time."""
        self._tried = asyncio.get_running_loop().time()
        self._busy = True
        try:
            self._adopt(parse_jwks(await fetch(self._address)))
        except FAILURES as error:
            log.warning("the key set stays as it is: %s: %s", type(error).__name__, error)
            return self._retry_seconds
        else:
            return self._refresh_seconds
        finally:
            self._busy = False
            self._finished.set()
            self._finished = asyncio.Event()


async def fetch(address: str) -> bytes:
    """What stands at an address, or in a file; raises one of FAILURES."""
    parts = urlsplit(address)
    if parts.scheme in ("", "file"):
        return await asyncio.to_thread(_read, Path(unquote(parts.path)))
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as client,
        # A redirect would lead to where the operator has not pointed, perhaps by another scheme.
        client.get(address, allow_redirects=False, headers={"Accept": "application/json"}) as response,
    ):
        if response.status != HTTPStatus.OK:
            raise JwksError(f"the answer was {response.status}")
        body = bytearray()
        async for chunk in response.content.iter_chunked(MAX_BYTES):
            body += chunk
            if len(body) > MAX_BYTES:
                raise JwksError(f"the answer has more than {MAX_BYTES} bytes")
        return bytes(body)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
