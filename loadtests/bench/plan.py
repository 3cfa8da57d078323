"""How much is measured: rounds, seconds, players."""

import sys
from dataclasses import dataclass

CONNECTIONS = (32, 128, 512)
USUAL = 128
"""Connections of the rows that compare."""
FASTEST = 14_000
"""Redemptions a second that tickets are minted for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every row is told; `seconds` is how long one load lasts."""

    rounds: int = 5
    seconds: float = 3
    players: int = 2_000
    viewers: int = 1_000
    ledger_rows: int = 1_000_000
    idle_actors: int = 40_000

    def say(self, text: str) -> None:
        """Tells whoever waits what is going on; stdout is for results."""
        print(f"bench: {text}", file=sys.stderr, flush=True)

    @property
    def tickets(self) -> int:
        """Tickets for one load, more than can be redeemed in its time."""
        return int(self.seconds * FASTEST)
