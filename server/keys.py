"""Keys in settings: how they are written, read and made."""

import base64
import binascii
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidKeyError

from server.pems import PemError, check_pem, generate_pem, signs

MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2: an HS256 key is at least as long as its hash
SEED_BYTES = 32  # RFC 8032: the private half of an Ed25519 key
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HMAC = "HS256"
JWT_ALGORITHMS = (HMAC, "RS256", "ES256", "EdDSA")
SECRETS = HMACAlgorithm(HMACAlgorithm.SHA256)
"""What signs with a secret knows what is none; asked at the start, it does not refuse the first log-in."""


class KeyFormatError(ValueError):
    """A list of keys is not in its documented form."""


class Named(Protocol):
    """A key with an id."""

    @property
    def kid(self) -> str: ...


@dataclass(frozen=True, slots=True)
class HmacKey:
    kid: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class JwtKey:
    """One key for one algorithm: a secret for HS256, else PEM; a public PEM only verifies."""

    kid: str
    algorithm: str
    key: bytes = field(repr=False)

    @property
    def signs(self) -> bool:
        """Whether tokens can be signed with it."""
        return self.algorithm == HMAC or signs(self.key)


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """An Ed25519 key by its seed."""

    kid: str
    seed: bytes = field(repr=False)


K = TypeVar("K", bound=Named)


def parse_hmac_keys(text: str) -> tuple[HmacKey, ...]:
    """Reads `kid:base64url,…`, the newest key last."""
    return _distinct(HmacKey(kid, _secret(kid, encoded)) for kid, encoded in _pairs(text))


def parse_jwt_keys(text: str) -> tuple[JwtKey, ...]:
    """Reads `kid:alg:base64url,…`, the newest key last; raises KeyFormatError, also when none can sign."""
    keys = []
    for item in _items(text):
        parts = item.split(":")
        if len(parts) != 3:  # noqa: PLR2004 - the three named right here
            raise KeyFormatError("a key is written kid:alg:base64url")
        kid, algorithm, encoded = _kid(parts[0]), parts[1], parts[2]
        if algorithm not in JWT_ALGORITHMS:
            raise KeyFormatError(f"key {kid!r}: the algorithm must be one of {', '.join(JWT_ALGORITHMS)}")
        keys.append(JwtKey(kid, algorithm, _jwt_key(kid, algorithm, encoded)))
    if keys and not any(key.signs for key in keys):
        raise KeyFormatError("none of the keys can sign: one must be a secret or a private key")
    return _distinct(keys)


def parse_receipt_keys(text: str) -> tuple[ReceiptKey, ...]:
    """Reads `kid:base64url,…` of Ed25519 seeds, the newest key last."""
    keys = []
    for kid, encoded in _pairs(text):
        seed = _decoded(kid, encoded)
        if len(seed) != SEED_BYTES:
            raise KeyFormatError(f"key {kid!r} has {len(seed)} bytes, the seed of an Ed25519 key has {SEED_BYTES}")
        keys.append(ReceiptKey(kid, seed))
    return _distinct(keys)


def format_hmac_keys(keys: Iterable[HmacKey]) -> str:
    return ",".join(f"{key.kid}:{_encode(key.secret)}" for key in keys)


def format_jwt_keys(keys: Iterable[JwtKey]) -> str:
    return ",".join(f"{key.kid}:{key.algorithm}:{_encode(key.key)}" for key in keys)


def format_receipt_keys(keys: Iterable[ReceiptKey]) -> str:
    return ",".join(f"{key.kid}:{_encode(key.seed)}" for key in keys)


def generate_hmac_key() -> HmacKey:
    return HmacKey(_random_kid(), secrets.token_bytes(MIN_SECRET_BYTES))


def generate_jwt_key(algorithm: str = HMAC) -> JwtKey:
    made = secrets.token_bytes(MIN_SECRET_BYTES) if algorithm == HMAC else generate_pem(algorithm)
    return JwtKey(_random_kid(), algorithm, made)


def generate_receipt_key() -> ReceiptKey:
    return ReceiptKey(_random_kid(), secrets.token_bytes(SEED_BYTES))


def newest_signing(keys: Sequence[JwtKey]) -> JwtKey:
    """The last key that can sign."""
    return next(key for key in reversed(keys) if key.signs)


def _random_kid() -> str:
    return f"k{secrets.token_hex(4)}"


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    for item in _items(text):
        kid, separator, encoded = item.partition(":")
        if not separator:
            raise KeyFormatError("a key is written kid:base64url")
        yield _kid(kid), encoded


def _kid(kid: str) -> str:
    if not KEY_ID.fullmatch(kid):
        raise KeyFormatError("a key id is 1 to 64 of A-Z a-z 0-9 . _ -")
    return kid


def _jwt_key(kid: str, algorithm: str, encoded: str) -> bytes:
    if algorithm == HMAC:
        secret = _secret(kid, encoded)
        try:
            SECRETS.prepare_key(secret)
        except InvalidKeyError as error:
            raise KeyFormatError(f"key {kid!r} is PEM, DER, SSH or a JWK, which is no secret for {HMAC}") from error
        return secret
    pem = _decoded(kid, encoded)
    try:
        check_pem(algorithm, pem)
    except PemError as error:
        raise KeyFormatError(f"key {kid!r} {error}") from error
    return pem


def _secret(kid: str, encoded: str) -> bytes:
    secret = _decoded(kid, encoded)
    if len(secret) < MIN_SECRET_BYTES:
        raise KeyFormatError(f"key {kid!r} has {len(secret)} bytes, at least {MIN_SECRET_BYTES} are needed")
    return secret


def _decoded(kid: str, encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyFormatError(f"key {kid!r} is not base64url") from error


def _encode(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")


def _distinct(keys: Iterable[K]) -> tuple[K, ...]:
    found: dict[str, K] = {}
    for key in keys:
        if key.kid in found:
            raise KeyFormatError(f"key id {key.kid!r} stands twice")
        found[key.kid] = key
    return tuple(found.values())
