"""Keys in settings: how they are written, read and made."""

import base64
import binascii
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2: an HS256 key is at least as long as its hash
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
JWT_ALGORITHMS = ("HS256",)


class KeyFormatError(ValueError):
    """A list of keys is not in its documented form."""


@dataclass(frozen=True, slots=True)
class HmacKey:
    kid: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class JwtKey:
    kid: str
    algorithm: str
    key: bytes = field(repr=False)


def parse_hmac_keys(text: str) -> tuple[HmacKey, ...]:
    """Reads `kid:base64url,…`, the newest key last."""
    keys = []
    for item in _items(text):
        kid, separator, encoded = item.partition(":")
        if not separator:
            raise KeyFormatError("a key is written kid:base64url")
        keys.append(HmacKey(_kid(kid), _secret(kid, encoded)))
    _refuse_twice(key.kid for key in keys)
    return tuple(keys)


def parse_jwt_keys(text: str) -> tuple[JwtKey, ...]:
    """Reads `kid:alg:base64url,…`, the newest key last."""
    keys = []
    for item in _items(text):
        parts = item.split(":")
        if len(parts) != 3:  # noqa: PLR2004 - the three named right here
            raise KeyFormatError("a key is written kid:alg:base64url")
        kid, algorithm, encoded = parts
        if algorithm not in JWT_ALGORITHMS:
            raise KeyFormatError(f"key {kid!r}: the algorithm must be one of {', '.join(JWT_ALGORITHMS)}")
        keys.append(JwtKey(_kid(kid), algorithm, _secret(kid, encoded)))
    _refuse_twice(key.kid for key in keys)
    return tuple(keys)


def format_hmac_keys(keys: Iterable[HmacKey]) -> str:
    return ",".join(f"{key.kid}:{_encode(key.secret)}" for key in keys)


def format_jwt_keys(keys: Iterable[JwtKey]) -> str:
    return ",".join(f"{key.kid}:{key.algorithm}:{_encode(key.key)}" for key in keys)


def generate_hmac_key() -> HmacKey:
    return HmacKey(_random_kid(), secrets.token_bytes(MIN_SECRET_BYTES))


def generate_jwt_key() -> JwtKey:
    return JwtKey(_random_kid(), JWT_ALGORITHMS[0], secrets.token_bytes(MIN_SECRET_BYTES))


def _random_kid() -> str:
    return f"k{secrets.token_hex(4)}"


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _kid(kid: str) -> str:
    if not KEY_ID.fullmatch(kid):
        raise KeyFormatError("a key id is 1 to 64 of A-Z a-z 0-9 . _ -")
    return kid


def _secret(kid: str, encoded: str) -> bytes:
    try:
        secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyFormatError(f"key {kid!r} is not base64url") from error
    if len(secret) < MIN_SECRET_BYTES:
        raise KeyFormatError(f"key {kid!r} has {len(secret)} bytes, at least {MIN_SECRET_BYTES} are needed")
    return secret


def _encode(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")


def _refuse_twice(kids: Iterable[str]) -> None:
    seen: set[str] = set()
    for kid in kids:
        if kid in seen:
            raise KeyFormatError(f"key id {kid!r} stands twice")
        seen.add(kid)
