"""Receipts: a recorded redemption, signed for anybody to check."""

import base64
from collections.abc import Sequence

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from actors.frames import rfc3339
from models.entry import Entry
from server.keys import ReceiptKey

ALGORITHM = "EdDSA"
TYPE = "laurel-receipt"
"""Tells a receipt from every other thing that is signed."""


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    """What a receipt says; `redeemed_at` is RFC 3339."""

    ticket_id: str
    user_id: str
    action_id: str | None
    change: int
    new_score: int
    user_version: int
    redeemed_at: str


class Receipts:
    """Signs receipts with the newest key; the public halves of all are published."""

    def __init__(self, keys: Sequence[ReceiptKey]) -> None:
        self.adopt(keys)

    def adopt(self, keys: Sequence[ReceiptKey]) -> None:
        """Takes other keys, the newest last."""
        made = {key.kid: Ed25519PrivateKey.from_private_bytes(key.seed) for key in keys}
        self._signing = (keys[-1].kid, made[keys[-1].kid]) if keys else None
        self.published = msgspec.json.encode({"keys": [_jwk(kid, key) for kid, key in made.items()]})

    @property
    def possible(self) -> bool:
        """Whether there is a key to sign with."""
        return self._signing is not None

    def sign(self, entry: Entry) -> str:
        """The receipt of a redemption: a compact JWS, the same each time while the key is."""
        if self._signing is None:
            raise RuntimeError("there is no key to sign receipts with")
        kid, key = self._signing
        receipt = Receipt(
            ticket_id=entry.entry_id,
            user_id=entry.user_id,
            action_id=entry.action_id,
            change=entry.delta,
            new_score=entry.score_after,
            user_version=entry.user_version,
            redeemed_at=rfc3339(entry.at),
        )
        headers = {"kid": kid, "typ": TYPE}
        return jwt.api_jws.encode(msgspec.json.encode(receipt), key, ALGORITHM, headers)


def _jwk(kid: str, key: Ed25519PrivateKey) -> dict[str, str]:
    public = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": kid, "x": public}
