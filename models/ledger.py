"""The one statement: many players' changes, committed at once."""

from collections.abc import Sequence

import msgspec

from models.database import Database, Runs, sql
from models.entry import Entry
from models.ids import EntryId
from models.proposal import Proposal

COMMIT = sql("commit")

_json = msgspec.json.Encoder()


async def commit(connection: Runs, proposals: Sequence[Proposal]) -> set[EntryId]:
    """The entry ids that won, of proposals for distinct players.

    A proposal that is not returned lost: its player's version moved on, its entry or key is taken, or its stamp is old.
    Raises DatabaseUnavailable (outcome unknown) and DataRejected (nothing written).
    """
    ordered = sorted(proposals, key=_user_of)
    rows = await connection.hot(COMMIT, *zip(*map(_columns, ordered), strict=True))
    return {row["entry_id"] for row in rows}


def _user_of(proposal: Proposal) -> str:
    return proposal.entry.user_id


def _columns(proposal: Proposal) -> tuple[object, ...]:
    entry, key = proposal.entry, proposal.key
    return (
        entry.user_id,
        proposal.expected_version,
        entry.score_after,
        entry.entry_id,
        entry.kind.value,
        entry.action_id,
        entry.action_revision,
        entry.delta,
        entry.at,
        entry.effective_at,
        entry.target_id,
        entry.region,
        _array(entry.groups),
        entry.caller,
        _json.encode(entry.meta).decode() if entry.meta else "{}",
        proposal.seal,
        proposal.audit_key,
        proposal.banned_until,
        key.scope if key else None,
        key.key if key else None,
        key.request_hash if key else None,
    )


def _array(groups: tuple[str, ...]) -> str:
    # Groups are slugs: nothing in them needs escaping, but one may be called `null`.
    return "{" + ",".join(f'"{group}"' for group in groups) + "}"


LOCK = "SELECT id FROM players WHERE id = $1 FOR NO KEY UPDATE"

HISTORY = sql("history")

VOIDED = sql("voided")

ENTRY = sql("entry_by_id")

PAGE = 5_000
"""Entries read at once when a whole history is folded."""


async def history(database: Database, user_id: str, after: int, limit: int = PAGE) -> list[Entry]:
    """A page of a player's entries in version order, after a version."""
    rows = await database.hot(HISTORY, user_id, after, limit)
    return [decode_entry(row["entry"]) for row in rows]


async def voided_targets(database: Database, user_id: str, version: int) -> frozenset[str]:
    """The ids of a player's entries that a void has reversed, up to a version."""
    rows = await database.hot(VOIDED, user_id, version)
    return frozenset(row["target_id"] for row in rows)


async def entry_by_id(database: Database, entry_id: str) -> Entry | None:
    """The entry of an id, or None."""
    rows = await database.hot(ENTRY, entry_id)
    return decode_entry(rows[0]["entry"]) if rows else None


_entry_decoder = msgspec.json.Decoder(Entry)


def decode_entry(text: str) -> Entry:
    """The entry in a JSON array as `models/sql/entry.sql` builds it."""
    return _entry_decoder.decode(text)
