"""Distinct id types, made at the edge, and time-ordered UUIDs."""

import os
import re
from typing import NewType

UserId = NewType("UserId", str)
TicketId = NewType("TicketId", str)
EntryId = NewType("EntryId", str)
ActionId = NewType("ActionId", str)
BoardId = NewType("BoardId", str)

SLUG = re.compile(r"[a-z0-9-]{1,64}")
CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_UUID7_RANDOM_BYTES = 10
_VERSION_7 = 0x7000
_VARIANT_RFC = 0x8000


def uuid7(now_ms: int) -> str:
    """A time-ordered UUID for a Unix time in milliseconds.

    48 bits of time, 74 random ones (RFC 9562, section 5.7), so that inserts by id append to the index.
    """
    random = os.urandom(_UUID7_RANDOM_BYTES)
    time = f"{now_ms & 0xFFFFFFFFFFFF:012x}"
    high = _VERSION_7 | (int.from_bytes(random[:2], "big") & 0x0FFF)
    low = _VARIANT_RFC | (int.from_bytes(random[2:4], "big") & 0x3FFF)
    return f"{time[:8]}-{time[8:]}-{high:04x}-{low:04x}-{random[4:].hex()}"


def uuid7_ms(value: str) -> int:
    """The Unix milliseconds that a UUIDv7 carries."""
    return int(value[:8] + value[9:13], 16)


def is_uuid(value: str) -> bool:
    """Whether a text is a UUID in canonical lower-case form."""
    return CANONICAL_UUID.fullmatch(value) is not None


def is_slug(value: str) -> bool:
    """Whether a text is a slug of 1 to 64 characters."""
    return SLUG.fullmatch(value) is not None
