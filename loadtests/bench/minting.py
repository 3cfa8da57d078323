"""Players and their tickets, signed before any clock starts."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.ids import ActionId, TicketId, UserId, uuid7
from server.auth import Tokens
from server.settings import Settings
from tickets.signer import TicketSigner
from tickets.ticket import Ticket

ACTION = ActionId("sprint")
"""Of the sample catalogue: no minimum time, cooldown or limit, and tickets may overlap."""
REVISION = 1
LIFE_MS = 3_600_000
TOKEN_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Player:
    """A player with a valid access token."""

    user_id: UserId
    token: str


class Mint:
    """Signs as a pod does, with the same keys."""

    def __init__(self, settings: Settings) -> None:
        self._tokens = Tokens(settings)
        self._signer = TicketSigner([key.secret for key in settings.ticket_keys])

    def players(self, user_ids: Sequence[UserId]) -> list[Player]:
        """An access token for each."""
        return [Player(user_id, self._tokens.mint(user_id, "player", TOKEN_SECONDS)) for user_id in user_ids]

    def admin(self, user_id: UserId) -> str:
        """An administrator's access token."""
        return self._tokens.mint(user_id, "admin", TOKEN_SECONDS)

    def tickets(self, players: Sequence[Player], count: int, action: ActionId = ACTION) -> Iterator[tuple[int, str]]:
        """Tickets for the players in turn, each with the player's number from 1."""
        now = int(time.time() * 1000)
        for number in range(count):
            place = number % len(players)
            ticket = Ticket(TicketId(uuid7(now)), players[place].user_id, action, REVISION, now, now + LIFE_MS)
            yield place + 1, self._signer.sign(ticket)

    def write(self, folder: Path, players: Sequence[Player], count: int, action: ActionId = ACTION) -> Path:
        """A folder as `redeem.lua` reads it, for one thread."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokens").write_text("".join(f"{player.token}\n" for player in players))
        with (folder / "tickets-0").open("w") as file:
            file.writelines(f"{place:06d}{text}\n" for place, text in self.tickets(players, count, action))
        return folder
