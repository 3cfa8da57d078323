"""The names of Redis keys: one hash tag for a board and period, the epoch in every name."""

import secrets
from dataclasses import dataclass

from models.board import Place

PREFIX = "laurel"
USER_CHANNEL = f"{PREFIX}:user:"
LIMIT_KEY = f"{PREFIX}:limit:"
SEATS_KEY = f"{PREFIX}:seats:"
FREQUENCY_KEY = f"{PREFIX}:often:"
MIRROR_MARK = f"{PREFIX}:mirrored"
"""All entries stamped before the time under this key are on the boards in Redis."""
LINEAGE_KEY = f"{PREFIX}:lineage"
"""The history of PostgreSQL that the boards in Redis come from."""
BOARD_PATTERN = f"{PREFIX}:{{*"
"""Every key of every board, as SCAN matches it."""
TTL_MS = 86_400_000
"""Board keys expire after a day without activity; PostgreSQL has them still."""


@dataclass(frozen=True, slots=True)
class BoardKeys:
    """The keys of one board and period in one epoch."""

    pointer: str
    rank: str
    users: str
    meta: str
    stream: str

    def all(self) -> list[str]:
        """The keys in the order that scripts take them."""
        return [self.pointer, self.rank, self.users, self.meta, self.stream]

    def reading(self) -> list[str]:
        """The keys in the order that reading scripts take them."""
        return [self.pointer, self.rank, self.users, self.meta]


def keys_of(place: Place, epoch: str) -> BoardKeys:
    """The keys of a place in an epoch."""
    tag = _tag(place)
    at = f"{tag}:{epoch}"
    return BoardKeys(f"{tag}:epoch", f"{at}:rank", f"{at}:users", f"{at}:meta", f"{at}:stream")


def pointer_of(place: Place) -> str:
    """The key that names a place's present epoch."""
    return f"{_tag(place)}:epoch"


def lock_of(place: Place) -> str:
    """The key that one rebuilder holds."""
    return f"{_tag(place)}:rebuild"


def _tag(place: Place) -> str:
    return f"{PREFIX}:{{{place[0]}:{place[1]}}}"


def new_epoch(now_ms: int) -> str:
    """An epoch that has never been: time and chance in hexadecimal."""
    return f"{now_ms:x}{secrets.token_hex(4)}"
