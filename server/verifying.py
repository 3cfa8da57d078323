"""Keys as tokens are verified with: one key, one algorithm."""

from dataclasses import dataclass, field

from server.keys import HMAC, JwtKey
from server.pems import PrivateKey, PublicKey, private_of, public_of


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """What a `kid` stands for."""

    kid: str
    algorithm: str
    key: PublicKey | bytes = field(repr=False)


def verifying(key: JwtKey) -> VerifyingKey:
    """The half of a key that verifies."""
    return VerifyingKey(key.kid, key.algorithm, key.key if key.algorithm == HMAC else public_of(key.key))


def signing(key: JwtKey) -> PrivateKey | bytes:
    """The half of a key that signs."""
    return key.key if key.algorithm == HMAC else private_of(key.key)
