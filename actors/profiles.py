"""Names and avatars of players on boards, in a bounded cache."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress

from actors.errors import Busy
from actors.supervisor import Supervisor
from models import players
from models.database import Database
from models.errors import ModelError
from models.ids import UserId
from models.players import Profile

CAPACITY = 50_000
"""Profiles kept."""
SOON_SECONDS = 1.0
"""A read waits so long for names."""


class Profiles:
    """The least recently used profile leaves first; a player without an account is shown as unknown."""

    def __init__(self, database: Database, supervisor: Supervisor) -> None:
        self._database = database
        self._supervisor = supervisor
        self._under_way: dict[object, float] = {}
        self._held: OrderedDict[UserId, Profile] = OrderedDict()

    async def load(self, user_ids: Iterable[UserId]) -> None:
        """Fetches what is missing; without a database players stay unknown for now."""
        missing = [user_id for user_id in user_ids if user_id not in self._held]
        if not missing:
            return
        try:
            found = await players.profiles(self._database, missing)
        except ModelError:
            return
        for user_id in missing:
            self._held.setdefault(user_id, found.get(user_id) or unknown(user_id))
        while len(self._held) > CAPACITY:
            self._held.popitem(last=False)

    async def load_soon(self, user_ids: Iterable[UserId]) -> None:
        """Likewise for a read, which a database that hangs does not hold up: whom it does not name, is unknown for now.

        While a call is late no other is made.
        """
        missing = [user_id for user_id in user_ids if user_id not in self._held]
        now = asyncio.get_running_loop().time()
        if not missing or next(iter(self._under_way.values()), now) < now - SOON_SECONDS:
            return
        with suppress(TimeoutError, Busy):
            async with asyncio.timeout(SOON_SECONDS):
                await self._supervisor.detached("profiles", self._load_noted(missing, now))

    async def _load_noted(self, missing: Iterable[UserId], began: float) -> None:
        call = object()
        self._under_way[call] = began
        try:
            await self.load(missing)
        finally:
            del self._under_way[call]

    def get(self, user_id: UserId) -> Profile:
        """A loaded profile."""
        held = self._held.get(user_id)
        if held is None:
            return unknown(user_id)
        self._held.move_to_end(user_id)
        return held

    async def reload(self, user_id: UserId) -> None:
        """Fetches a profile that changed; without a database it is fetched when next wanted."""
        try:
            found = await players.profiles(self._database, [user_id])
        except ModelError:
            self._held.pop(user_id, None)
            return
        self._held[user_id] = found.get(user_id) or unknown(user_id)


def unknown(user_id: UserId) -> Profile:
    """What is shown of a player whose account is gone or out of reach."""
    return Profile(user_id, "", "", None)
