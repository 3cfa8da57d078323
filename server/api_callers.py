"""Servers that call with an API key: which of their keys were good here before."""

from actors.supervisor import Supervisor
from models import api_keys
from models.api_keys import ApiKey, digest_of
from models.database import Database

MAX_SECRET_LENGTH = 200
MAX_KNOWN = 10_000
"""Digests that a pod keeps; the oldest leave first."""


class ApiCallers:
    """Tells a key that was good before from a guess, which costs like a log-in.

    A key is looked up each time all the same: what was revoked a moment ago is refused on every pod, and is a guess
    from then on.
    """

    def __init__(self, database: Database, supervisor: Supervisor) -> None:
        self._database = database
        self._supervisor = supervisor
        self._known: dict[bytes, None] = {}

    def knows(self, secret: str) -> bool:
        """Whether this key was good when it was shown last."""
        return digest_of(secret) in self._known

    async def find(self, secret: str) -> ApiKey | None:
        """The key of a secret, or None; raises DatabaseUnavailable."""
        if len(secret) > MAX_SECRET_LENGTH:
            return None
        digest = digest_of(secret)
        key = await self._supervisor.detached("api-key", api_keys.by_secret(self._database, secret))
        if key is None:
            self._known.pop(digest, None)
        elif digest not in self._known:
            if len(self._known) >= MAX_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[digest] = None
        return key
