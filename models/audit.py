"""What an audit looks at, and what it finds; pure."""

from dataclasses import dataclass

from models.base import Base
from models.board import Place
from models.entry import Entry
from models.ids import ActionId, UserId
from models.state import ActionMemory, Standing


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing found wrong: where, and what."""

    user_id: str | None
    version: int | None
    entry_id: str | None
    text: str

    def __str__(self) -> str:
        places = (("player", self.user_id), ("version", self.version), ("entry", self.entry_id))
        return ", ".join(f"{name} {value}" for name, value in places if value is not None) + f": {self.text}"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a player's history went once, as a checkpoint has it."""

    user_id: str
    version: int
    seal: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it stands in the ledger, with its seal; `entry` is None when it cannot be read."""

    user_version: int
    entry_id: str
    entry: Entry | None
    seal: bytes
    hash_version: int
    audit_key: str


@dataclass(frozen=True, slots=True)
class Written:
    """A row of the standings."""

    standing: Standing
    present: bool
    hidden: bool
    version: int


@dataclass(frozen=True, slots=True)
class Memo:
    """Up to which version a player's standings are written, for which boards, and the memory of actions."""

    version: int
    boards: frozenset[str]
    actions: dict[ActionId, ActionMemory]


@dataclass(frozen=True, slots=True)
class Subject:
    """What stands of a player outside the ledger, in one snapshot; times are Unix milliseconds.

    `base` is what archived entries fold to, `voided` are the targets of the player's voids, `stray` an entry whose
    version lies outside 1 to `version`.
    """

    user_id: UserId
    version: int
    score: int
    last_at: int | None
    last_hash: bytes | None
    region: str | None
    groups: tuple[str, ...]
    banned_until: int | None
    memo: Memo | None
    standings: dict[Place, Written]
    voided: frozenset[str]
    stray: tuple[int, str] | None
    now_ms: int
    base: Base | None = None

    @property
    def settled(self) -> bool:
        """Whether the standings claim to be of the present version."""
        return self.memo is not None and self.memo.version == self.version
