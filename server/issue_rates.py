"""How often tickets are issued to a player and to an address: the measure of what is unusual."""

from actors.clock import Clock
from actors.frequencies import Frequencies
from models.ids import UserId


class IssueRates:
    """What adaptive proof of work has to know, over all pods; `lifted` counts nothing and finds nothing unusual."""

    def __init__(
        self, frequencies: Frequencies, clock: Clock, *, per_user: int, per_address: int, lifted: bool
    ) -> None:
        self._frequencies = frequencies
        self._clock = clock
        self._most = (per_user, per_address)
        self._lifted = lifted

    def count(self, user_id: UserId, address: str, tickets: int = 1) -> None:
        """Counts an issued ticket, or takes back one that was not issued after all."""
        if not self._lifted:
            now = self._clock.now_ms()
            for who in _names(user_id, address):
                self._frequencies.count(who, now, tickets)

    async def are_unusual(self, user_id: UserId, address: str) -> bool:
        """Whether the ticket counted last is one more than is usual in a minute, for this player or address."""
        if self._lifted:
            return False
        found = await self._frequencies.rates(_names(user_id, address), self._clock.now_ms())
        return any(rate >= most + 1 for rate, most in zip(found, self._most, strict=True))


def _names(user_id: UserId, address: str) -> tuple[str, str]:
    return f"user:{user_id}", f"address:{address}"
