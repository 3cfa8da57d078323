"""What a player's archived entries fold to, sealed."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from models.board import Board
from models.chain import Chain
from models.database import Database, sql
from models.ids import UserId
from models.packing import pack, unpack
from models.state import PlayerState

FIND = sql("base")
PURPOSE = b"laurel.base.v1"
"""Ties a seal to this purpose: no hash of the ledger verifies as one."""


@dataclass(frozen=True, slots=True)
class Base:
    """The state after a version, for the boards that there were then; everything older is in an archive."""

    user_id: UserId
    version: int
    boards: tuple[str, ...]
    content: bytes
    audit_key: str
    seal: bytes

    @classmethod
    def of(cls, state: PlayerState, chain: Chain) -> "Base":
        """The base that a folded state is, sealed with the newest audit key."""
        boards = tuple(board.key for board in state.boards)
        bare = cls(state.user_id, state.version, boards, pack(state), chain.newest, b"")
        return cls(bare.user_id, bare.version, boards, bare.content, chain.newest, bare._seal(chain))

    def holds(self, chain: Chain) -> bool:
        """Whether the seal is ours."""
        return self.audit_key in chain.keys and hmac.compare_digest(self._seal(chain), self.seal)

    def state(self, boards: Sequence[Board]) -> PlayerState:
        """The state to go on from, for the boards there are now; every standing counts as touched.

        A board that was defined later, or anew, starts with the first entry that is kept.
        """
        state = unpack(self.user_id, boards, self.content)
        known = {board.key for board in boards}
        state.standings = {place: standing for place, standing in state.standings.items() if place[0] in known}
        state.touched = set(state.standings)
        return state

    def _seal(self, chain: Chain) -> bytes:
        key = hmac.digest(chain.keys[self.audit_key], PURPOSE, sha256)
        head = f"{self.user_id} {self.version} {','.join(self.boards)} ".encode()
        return hmac.digest(key, head + self.content, sha256)


async def find(database: Database, user_id: UserId) -> Base | None:
    """A player's base; None while all of the history is kept."""
    for row in await database.hot(FIND, user_id):
        return Base(user_id, row["version"], tuple(row["boards"]), row["state"], row["audit_key"], row["seal"])
    return None
