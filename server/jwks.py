"""Sets of public keys (RFC 7517) of an outside issuer: what of them is used."""

import base64
import binascii
from typing import Annotated, Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from server.pems import PemError, PublicKey, algorithm_of, check_public
from server.verifying import VerifyingKey

MAX_BYTES = 65_536
MAX_KEYS = 64
P256_BYTES = 32


class JwksError(ValueError):
    """A document is no set of keys that could be used."""


class Jwk(msgspec.Struct, frozen=True):
    """A key of a set, as far as it is looked at."""

    kty: str
    kid: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    use: str | None = None
    alg: str | None = None
    key_ops: list[str] | None = None
    crv: str | None = None
    n: str = ""
    e: str = ""
    x: str = ""
    y: str = ""
    d: str | None = None


class Jwks(msgspec.Struct, frozen=True):
    """A set; its keys are read one by one, so that a strange one spoils nothing."""

    keys: Annotated[list[Any], msgspec.Meta(max_length=MAX_KEYS)]


_decoder = msgspec.json.Decoder(Jwks)


def parse_jwks(body: bytes) -> dict[str, VerifyingKey]:
    """The usable keys by `kid`; raises JwksError when there is none.

    Left out are secrets, private keys, keys for encryption, of other algorithms or too weak, those without a `kid`,
    and every key whose `kid` stands twice.
    """
    if len(body) > MAX_BYTES:
        raise JwksError(f"the set has more than {MAX_BYTES} bytes")
    try:
        rows = _decoder.decode(body).keys
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise JwksError(f"this is no set of keys: {error}") from error
    read = [key for row in rows if (key := _usable(row)) is not None]
    kids = [key.kid for key in read]
    keys = {key.kid: key for key in read if kids.count(key.kid) == 1}
    if not keys:
        raise JwksError("the set has no key that could be used")
    return keys


def _usable(row: Any) -> VerifyingKey | None:
    try:
        jwk = msgspec.convert(row, Jwk)
        if jwk.kid is None or jwk.d is not None or jwk.use not in (None, "sig"):
            return None
        if jwk.key_ops is not None and "verify" not in jwk.key_ops:
            return None
        key = _public(jwk)
        algorithm = None if key is None else algorithm_of(key)
        if key is None or algorithm is None or jwk.alg not in (None, algorithm):
            return None
        check_public(algorithm, key)
    except (msgspec.MsgspecError, PemError, ValueError, UnsupportedAlgorithm):
        return None
    return VerifyingKey(jwk.kid, algorithm, key)


def _public(jwk: Jwk) -> PublicKey | None:
    match jwk.kty, jwk.crv:
        case "RSA", _:
            return RSAPublicNumbers(_number(jwk.e), _number(jwk.n)).public_key()
        case "EC", "P-256":
            if len(_bytes(jwk.x)) != P256_BYTES or len(_bytes(jwk.y)) != P256_BYTES:
                return None
            return EllipticCurvePublicNumbers(_number(jwk.x), _number(jwk.y), SECP256R1()).public_key()
        case "OKP", "Ed25519":
            return Ed25519PublicKey.from_public_bytes(_bytes(jwk.x))
    return None


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")
