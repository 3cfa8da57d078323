"""A signed note of how far every player's history went, to be kept outside the database."""

import hmac
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

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

TAIL_BYTES = 256
"""Longer than the signature's line."""
CHUNK_BYTES = 1 << 20
"""A file of a million players has a hundred of these: it is never held whole."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file whose signature is ours: a header line, then a line `player version hash` a player."""

    header: Header
    path: Path

    @classmethod
    def open(cls, path: Path, chain: Chain) -> "Checkpoint":
        """Reads a file to its end; raises CheckpointInvalid unless we signed exactly this, and OSError."""
        with path.open("rb") as file:
            return cls(_verified(file, chain), path)

    def marks(self) -> Iterator[Mark]:
        """Every player's mark, in the order of their ids; raises CheckpointInvalid and OSError."""
        with self.path.open("rb") as file:
            file.readline()
            for line in file:
                if line.startswith(SIGNATURE):
                    return
                try:
                    user_id, version, seal = line.decode("ascii").rstrip("\n").split(" ")
                    mark = Mark(user_id, int(version), bytes.fromhex(seal))
                except ValueError as error:
                    text = "a line of the checkpoint is not of the form: player version hash"
                    raise CheckpointInvalid(text) from error
                yield mark


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


def _verified(file: BinaryIO, chain: Chain) -> Header:
    try:
        header = _header.decode(file.readline())
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise CheckpointInvalid("this is no checkpoint, or one that was cut off") from error
    if header.audit_key not in chain.keys:
        raise CheckpointInvalid(f"the checkpoint is signed with the audit key {header.audit_key!r}, which is not given")
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL_BYTES))
    _, mark, signature = file.read().rpartition(SIGNATURE)
    left = size - len(mark) - len(signature)
    made = hmac.new(_key(chain, header.audit_key), digestmod=sha256)
    file.seek(0)
    while chunk := file.read(min(left, CHUNK_BYTES)):
        made.update(chunk)
        left -= len(chunk)
    if not mark or not hmac.compare_digest(made.hexdigest().encode(), signature.strip()):
        raise CheckpointInvalid("the checkpoint's signature does not fit: it was changed, or cut off")
    return header


def _key(chain: Chain, key_id: str) -> bytes:
    return hmac.digest(chain.keys[key_id], PURPOSE, sha256)
