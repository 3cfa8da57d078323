"""Asks Redis about boards, as long as it can say."""

from collections.abc import Sequence
from typing import Any

from actors.epochs import Epochs
from actors.keys import keys_of
from actors.ordering import AWAY, Ordering
from actors.settler import Settler
from models.board import Place


class BoardReader:
    """Runs reading scripts; what they say counts only for the epoch that this pod knows a place in.

    Where Redis cannot say, PostgreSQL is asked next, and is brought up to what this pod knows if that is little.
    """

    def __init__(self, ordering: Ordering, epochs: Epochs, settler: Settler) -> None:
        self._ordering = ordering
        self._epochs = epochs
        self._settler = settler

    async def ask(self, place: Place, script: str, *arguments: Any) -> Sequence[str] | None:
        """A script's answer, which begins with "ok" and the epoch or is "absent"; None when Redis cannot say."""
        found = await self._asked(place, script, arguments)
        if found is None:
            await self._settler.flush_few()
        return found

    async def _asked(self, place: Place, script: str, arguments: Sequence[Any]) -> Sequence[str] | None:
        epoch = self._epochs.get(place)
        if epoch is None or self._ordering.away:
            return None
        try:
            (found,) = await self._ordering.run([(script, keys_of(place, epoch.name).reading(), arguments)])
        except AWAY as error:
            self._ordering.lost(error)
            return None
        if found[0] == "absent" or (found[0] == "ok" and found[1] == epoch.name):
            return found
        self._epochs.doubt(place)
        return None
