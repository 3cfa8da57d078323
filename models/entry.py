"""One change of a player's state, as the ledger keeps it."""

from enum import StrEnum

import msgspec

from models.ids import ActionId, EntryId, UserId

MAX_SCORE = 2**53 - 1
"""Greatest score either way: what a Redis double and JavaScript hold exactly."""

FOREVER_MS = 253_402_300_799_000
"""A ban without an end, as Unix milliseconds: the last second of the year 9999."""

ERASED_MS = FOREVER_MS + 999
"""Stands as the end of a ban for a player who was erased; no ban may last as long."""


class Kind(StrEnum):
    """What an entry did; all but the first four have delta 0."""

    REDEEM = "redeem"
    AWARD = "award"
    ADJUST = "adjust"
    VOID = "void"
    BAN = "ban"
    UNBAN = "unban"
    MOVE = "move"
    ERASE = "erase"


REFOLDED = frozenset({Kind.VOID, Kind.BAN, Kind.UNBAN, Kind.ERASE})
"""Kinds that change standings of any period: a player's whole history is folded again."""

SCORING = frozenset({Kind.REDEEM, Kind.AWARD, Kind.ADJUST})
"""Kinds that move a score and that a void can reverse."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """An immutable ledger entry; times are Unix milliseconds.

    `delta` and `score_after` are points, `user_version` counts the player's entries from 1 without gaps.
    A void copies its target's action, region and groups, and takes effect at the target's time.
    """

    entry_id: EntryId
    kind: Kind
    user_id: UserId
    user_version: int
    action_id: ActionId | None
    action_revision: int | None
    delta: int
    score_after: int
    at: int
    effective_at: int
    target_id: EntryId | None
    region: str | None
    groups: tuple[str, ...]
    caller: str | None
    meta: dict[str, str | int]
