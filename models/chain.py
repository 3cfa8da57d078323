"""The keyed hash that ties each entry to the one before."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from models.entry import Entry

HASH_VERSION = 1
GENESIS = b"\x00" * 32
"""Stands for the previous hash of a player's first entry."""

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Chain:
    """The audit keys: all verify, the newest signs.

    `keys` maps key ids to secrets; `newest` is the id that new entries are hashed with.
    """

    keys: Mapping[str, bytes]
    newest: str

    def seal(self, previous: bytes | None, entry: Entry) -> bytes:
        """The HMAC-SHA256 of an entry behind its predecessor's hash."""
        return _digest(self.keys[self.newest], previous, entry)

    def holds(self, previous: bytes | None, entry: Entry, key_id: str, seal: bytes) -> bool:
        """Whether a stored hash is the one its entry must have."""
        key = self.keys.get(key_id)
        return key is not None and hmac.compare_digest(_digest(key, previous, entry), seal)


def _digest(key: bytes, previous: bytes | None, entry: Entry) -> bytes:
    return hmac.digest(key, (previous or GENESIS) + bytes((HASH_VERSION,)) + _encode(entry), hashlib.sha256)
