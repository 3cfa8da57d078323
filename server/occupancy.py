"""How many live connections an address and a player may have at once."""

from types import TracebackType
from typing import Self

from actors.seats import Seats
from models.ids import UserId
from server.errors import RequestError

RETRY_SECONDS = 10


class TooManyConnections(RequestError):
    """An address or a player has all the connections it may have."""

    code, status = "rate_limited", 429


class Occupancy:
    """The live connections of addresses and players on all pods; `lifted` counts none."""

    def __init__(self, seats: Seats, per_user: int, per_address: int, *, lifted: bool) -> None:
        self._seats = seats
        self._lifted = lifted
        self._most = {"user": per_user, "address": per_address}

    async def take(self, kind: str, who: str) -> None:
        """One more of a `user` or `address`; raises TooManyConnections."""
        if not self._lifted and not await self._seats.take(f"{kind}:{who}", self._most[kind]):
            raise TooManyConnections("too many live connections at once", retryAfterSeconds=RETRY_SECONDS)

    def give_back(self, kind: str, who: str) -> None:
        """One less."""
        if not self._lifted:
            self._seats.give_back(f"{kind}:{who}")


class Seat:
    """What one connection occupies: its address and, once known, its player. A context manager."""

    def __init__(self, occupancy: Occupancy, address: str, user_id: UserId | None) -> None:
        self._occupancy = occupancy
        self._address = address
        self._first = user_id
        self._user_id: UserId | None = None

    async def __aenter__(self) -> Self:
        await self._occupancy.take("address", self._address)
        if self._first is not None:
            try:
                await self.sit(self._first)
            except BaseException:
                self._occupancy.give_back("address", self._address)
                raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stand()
        self._occupancy.give_back("address", self._address)

    async def sit(self, user_id: UserId) -> None:
        """Counts for this player from now on; raises TooManyConnections."""
        if user_id != self._user_id:
            await self._occupancy.take("user", user_id)
            self.stand()
            self._user_id = user_id

    def stand(self) -> None:
        """Counts for no player any more."""
        if self._user_id is not None:
            self._occupancy.give_back("user", self._user_id)
            self._user_id = None
