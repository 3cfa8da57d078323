"""Names and avatars of players on boards, in a bounded cache."""

from collections import OrderedDict
from collections.abc import Iterable

from models import players
from models.database import Database
from models.errors import ModelError
from models.ids import UserId
from models.players import Profile

CAPACITY = 50_000
"""Profiles kept."""


class Profiles:
    """The least recently used profile leaves first; a player without an account is shown as unknown."""

    def __init__(self, database: Database) -> None:
        self._database = database
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
