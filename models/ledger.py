"""The one statement: many players' changes, committed at once."""

from collections.abc import Sequence

import msgspec

from models.arrays import byte_strings, numbers, texts
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
    rows = await connection.hot(COMMIT, *_arrays(ordered))
    return {row["entry_id"] for row in rows}


def _user_of(proposal: Proposal) -> str:
    return proposal.entry.user_id


def _arrays(proposals: Sequence[Proposal]) -> tuple[str | None, ...]:
    entries, keys = [proposal.entry for proposal in proposals], [proposal.key for proposal in proposals]
    return (
        texts([entry.user_id for entry in entries]),
        numbers([proposal.expected_version for proposal in proposals]),
        numbers([entry.score_after for entry in entries]),
        texts([entry.entry_id for entry in entries]),
        texts([entry.kind.value for entry in entries]),
        texts([entry.action_id for entry in entries]),
        numbers([entry.action_revision for entry in entries]),
        numbers([entry.delta for entry in entries]),
        numbers([entry.at for entry in entries]),
        numbers([entry.effective_at for entry in entries]),
        texts([entry.target_id for entry in entries]),
        texts([entry.region for entry in entries]),
        texts([_groups(entry.groups) for entry in entries]),
        texts([entry.caller for entry in entries]),
        texts([_json.encode(entry.meta).decode() if entry.meta else "{}" for entry in entries]),
        byte_strings([proposal.seal for proposal in proposals]),
        texts([proposal.audit_key for proposal in proposals]),
        numbers([proposal.banned_until for proposal in proposals]),
        texts([None if key is None else key.scope for key in keys]),
        texts([None if key is None else key.key for key in keys]),
        byte_strings([None if key is None else key.request_hash for key in keys]),
    )


def _groups(groups: tuple[str, ...]) -> str:
    return texts(groups) or "{}"


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
