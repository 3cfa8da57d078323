"""How many live connections an address and a player may have at once."""

from collections import Counter
from types import TracebackType
from typing import Self

from sanic import Request

from models.ids import UserId
from server.errors import RequestError

PER_ADDRESS = 20
PER_USER = 5
RETRY_SECONDS = 10


class TooManyConnections(RequestError):
    """An address or a player has all the connections it may have."""

    code, status = "rate_limited", 429


class Occupancy:
    """The live connections of one pod; `lifted` counts them without limiting."""

    def __init__(self, *, lifted: bool) -> None:
        self._lifted = lifted
        self._counts: Counter[str] = Counter()

    def take(self, who: str, most: int) -> None:
        """One more of an address or player; raises TooManyConnections."""
        if self._counts[who] >= most and not self._lifted:
            raise TooManyConnections("too many live connections at once", retryAfterSeconds=RETRY_SECONDS)
        self._counts[who] += 1

    def give_back(self, who: str) -> None:
        """One less."""
        self._counts[who] -= 1
        if self._counts[who] <= 0:
            del self._counts[who]


class Seat:
    """What one connection occupies: its address and, once known, its player. A context manager."""

    def __init__(self, occupancy: Occupancy, address: str, user_id: UserId | None) -> None:
        self._occupancy = occupancy
        self._address = address
        self._first = user_id
        self._user_id: UserId | None = None

    def __enter__(self) -> Self:
        self._occupancy.take(self._address, PER_ADDRESS)
        if self._first is not None:
            try:
                self.sit(self._first)
            except TooManyConnections:
                self._occupancy.give_back(self._address)
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stand()
        self._occupancy.give_back(self._address)

    def sit(self, user_id: UserId) -> None:
        """Counts for this player from now on; raises TooManyConnections."""
        if user_id != self._user_id:
            self._occupancy.take(user_id, PER_USER)
            self.stand()
            self._user_id = user_id

    def stand(self) -> None:
        """Counts for no player any more."""
        if self._user_id is not None:
            self._occupancy.give_back(self._user_id)
            self._user_id = None


def address_of(request: Request, proxies: int) -> str:
    """The client's address, as the outermost of so many trusted proxies saw it."""
    hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    return hops[-proxies] if 0 < proxies <= len(hops) else str(request.ip)
