"""Asks Redis about boards, as long as it can say."""

from collections.abc import Sequence
from typing import Any

from actors.epochs import Epochs
from actors.keys import keys_of
from actors.ordering import AWAY, Ordering
from models.board import Place


class BoardReader:
    """Runs reading scripts; what they say counts only for the epoch that this pod knows a place in."""

    def __init__(self, ordering: Ordering, epochs: Epochs) -> None:
        self._ordering = ordering
        self._epochs = epochs

    async def ask(self, place: Place, script: str, *arguments: Any) -> Sequence[str] | None:
        """A script's answer, which begins with "ok" and the epoch or is "absent"; None when Redis cannot say."""
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
