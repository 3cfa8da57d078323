"""Asymmetric keys: one kind of key for each algorithm, checked when it is read."""

from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key

MIN_RSA_BITS = 2048  # RFC 7518 section 3.3
MAX_RSA_BITS = 8192
"""Larger ones only make verifying slow."""
RSA_EXPONENT = 65537

PrivateKey: TypeAlias = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class PemError(ValueError):
    """Not a key for this algorithm; the message goes on from the key's name."""


def check_pem(algorithm: str, pem: bytes) -> None:
    """Raises PemError unless it is a key for the algorithm."""
    check_public(algorithm, public_of(pem))


def signs(pem: bytes) -> bool:
    """Whether it holds a private key."""
    return b"PRIVATE KEY-----" in pem


def private_of(pem: bytes) -> PrivateKey:
    """The private key in a PEM; raises PemError."""
    try:
        found = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PemError("is not a private key in PEM without a password") from error
    if not isinstance(found, PrivateKey):
        raise PemError("is of a kind that no algorithm here uses")
    return found


def public_of(pem: bytes) -> PublicKey:
    """The public key in a PEM, or of the private key in it; raises PemError."""
    if signs(pem):
        return private_of(pem).public_key()
    try:
        found = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PemError("is not a key in PEM") from error
    if not isinstance(found, PublicKey):
        raise PemError("is of a kind that no algorithm here uses")
    return found


def check_public(algorithm: str, key: PublicKey) -> None:
    """Raises PemError unless a public key is one for the algorithm, and strong enough."""
    if algorithm_of(key) != algorithm:
        raise PemError(f"is not a key for {algorithm}")
    if isinstance(key, RSAPublicKey) and not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise PemError(f"has {key.key_size} bits, an RSA key needs {MIN_RSA_BITS} to {MAX_RSA_BITS}")


def algorithm_of(key: PublicKey) -> str | None:
    """The one algorithm that a key is used with here; None for another curve."""
    if isinstance(key, RSAPublicKey):
        return "RS256"
    if isinstance(key, Ed25519PublicKey):
        return "EdDSA"
    return "ES256" if isinstance(key.curve, SECP256R1) else None


def generate_pem(algorithm: str) -> bytes:
    """A new private key for an asymmetric algorithm."""
    key: PrivateKey
    if algorithm == "RS256":
        key = generate_rsa_key(RSA_EXPONENT, MIN_RSA_BITS)
    elif algorithm == "ES256":
        key = generate_private_key(SECP256R1())
    else:
        key = Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
