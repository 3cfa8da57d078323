"""A change that an actor proposes to the ledger.

Values of the redemption path are msgspec Structs: a frozen dataclass takes several times as long to make.
"""

from msgspec import Struct, field

from models.chain import Chain
from models.entry import Entry, Kind
from models.ids import ActionId, EntryId
from models.state import PlayerState


class IdempotencyKey(Struct, frozen=True):
    """A caller's own name for a request, and a digest of what it asks."""

    scope: str
    key: str
    request_hash: bytes


class Draft(Struct, frozen=True):
    """What was decided, before it has a place in the history.

    `delta` is in points; times are Unix milliseconds; `effective_at` None means the stamp. `banned_until` is the
    player's after the change; `region` and `groups` are what the entry records, and a move makes them the player's.
    """

    entry_id: EntryId
    kind: Kind
    delta: int
    banned_until: int | None
    region: str | None
    groups: tuple[str, ...]
    action_id: ActionId | None = None
    action_revision: int | None = None
    effective_at: int | None = None
    target_id: EntryId | None = None
    caller: str | None = None
    meta: dict[str, str | int] = field(default_factory=dict)
    key: IdempotencyKey | None = None


class Proposal(Struct, frozen=True):
    """An entry with the state it is built on: absolute values, never increments.

    Wins only while the player's version is still `expected_version` and the entry id is not in the ledger.
    """

    entry: Entry
    expected_version: int
    banned_until: int | None
    seal: bytes
    audit_key: str
    key: IdempotencyKey | None


def propose(state: PlayerState, draft: Draft, at_ms: int, chain: Chain) -> Proposal:
    """The proposal that puts a draft behind a state's last entry."""
    entry = Entry(
        entry_id=draft.entry_id,
        kind=draft.kind,
        user_id=state.user_id,
        user_version=state.version + 1,
        action_id=draft.action_id,
        action_revision=draft.action_revision,
        delta=draft.delta,
        score_after=state.score + draft.delta,
        at=at_ms,
        effective_at=at_ms if draft.effective_at is None else draft.effective_at,
        target_id=draft.target_id,
        region=draft.region,
        groups=draft.groups,
        caller=draft.caller,
        meta=draft.meta,
    )
    return Proposal(
        entry=entry,
        expected_version=state.version,
        banned_until=draft.banned_until,
        seal=chain.seal(state.last_hash, entry),
        audit_key=chain.newest,
        key=draft.key,
    )
