"""A signed note of how far every player's history went, to be kept outside the database."""

import hmac
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from models.audit import Mark
from models.auditor import Connection
from models.chain import Chain
from models.errors import CheckpointInvalid

PURPOSE = b"laurel.checkpoint.v1"
"""Ties a signature to this purpose: no hash of the ledger verifies as one."""
SIGNATURE = b"signature "

TOTALS = """
    SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at,
           count(*) AS players, coalesce(sum(version), 0)::bigint AS entries
    FROM players WHERE version > 0
"""
PLAYERS = "SELECT p.id::text, version, encode(last_hash, 'hex') AS seal FROM players p WHERE version > 0 ORDER BY p.id"


class Header(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The first line: when, of how much, and the audit key whose like signs it."""

    at: str
    players: int
    entries: int
    audit_key: str
    format: int = 1


_header = msgspec.json.Decoder(Header)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint whose signature is ours: a header line, then a line `player version hash` a player."""

    header: Header
    _lines: bytes

    def marks(self) -> Iterator[Mark]:
        """Every player's mark, in the order of their ids; raises CheckpointInvalid."""
        for line in self._lines.splitlines()[1:]:
            try:
                user_id, version, seal = line.decode("ascii").split(" ")
                yield Mark(user_id, int(version), bytes.fromhex(seal))
            except ValueError as error:
                raise CheckpointInvalid("a line of the checkpoint is not of the form: player version hash") from error


async def take(connection: Connection, chain: Chain) -> AsyncIterator[str]:
    """The lines of a checkpoint of one snapshot, the signature last."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        totals = await connection.fetchrow(TOTALS)
        if totals is None:
            raise RuntimeError("a count has one row")
        header = Header(totals["at"], totals["players"], totals["entries"], chain.newest)
        line = msgspec.json.encode(header).decode() + "\n"
        signature = hmac.new(_key(chain, chain.newest), line.encode(), sha256)
        yield line
        async for row in connection.cursor(PLAYERS, prefetch=1_000):
            line = f"{row['id']} {row['version']} {row['seal'] or ''}\n"
            signature.update(line.encode())
            yield line
    yield f"{SIGNATURE.decode()}{signature.hexdigest()}\n"


def read(content: bytes, chain: Chain) -> Checkpoint:
    """The checkpoint in a file's content; raises CheckpointInvalid unless we signed exactly this."""
    lines, mark, signature = content.rpartition(SIGNATURE)
    try:
        header = _header.decode(lines.partition(b"\n")[0])
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise CheckpointInvalid("this is no checkpoint, or one that was cut off") from error
    if header.audit_key not in chain.keys:
        raise CheckpointInvalid(f"the checkpoint is signed with the audit key {header.audit_key!r}, which is not given")
    made = hmac.digest(_key(chain, header.audit_key), lines, sha256).hex().encode()
    if not mark or not hmac.compare_digest(made, signature.strip()):
        raise CheckpointInvalid("the checkpoint's signature does not fit: it was changed, or cut off")
    return Checkpoint(header, lines)


def _key(chain: Chain, key_id: str) -> bytes:
    return hmac.digest(chain.keys[key_id], PURPOSE, sha256)
