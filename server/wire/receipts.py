"""The shapes of receipts and of the keys that verify them."""

from server.wire.fields import Wire


class PublicKey(Wire, frozen=True):
    """A public key as a JWK (RFC 8037)."""

    kty: str
    crv: str
    use: str
    alg: str
    kid: str
    x: str


class KeySet(Wire, frozen=True):
    """Public keys as a JWK set."""

    keys: list[PublicKey]


class ReceiptAnswer(Wire, frozen=True):
    """A compact JWS."""

    receipt: str
