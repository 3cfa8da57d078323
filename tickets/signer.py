"""Signs and verifies action tickets."""

import hmac
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec
from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.signer import SigningAlgorithm

from tickets.errors import TicketForged
from tickets.ticket import Ticket

SALT = b"laurel.ticket.v1"
"""Ties a signature to this purpose: no other token of ours verifies as a ticket."""

MAX_LENGTH = 1024
"""Longest ticket looked at, in characters; the longest one issued, with a `build` of emoji, has half as many."""

# The decoder skips foreign characters and takes both alphabets, so the form is checked before. 43 characters of base64
# carry 258 bits for a digest of 256: only these last characters have the two spare bits zero.
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Ticket)


class _KeyedOnce(SigningAlgorithm):
    """HMAC-SHA256 that sets each key up once: 1.5 µs a signature where doing so each time takes 3.3."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keyed = {key: hmac.new(key, digestmod=sha256) for key in keys}

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        keyed = self._keyed[key].copy()
        keyed.update(value)
        return keyed.digest()


class _CachedSigner(Signer):
    """itsdangerous' signer, deriving each key once instead of at every signature."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        super().__init__(list(keys), salt=SALT, key_derivation="hmac", digest_method=sha256)
        self._derived = {key: super(_CachedSigner, self).derive_key(key) for key in keys}
        self.algorithm = _KeyedOnce(self._derived.values())

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        return self._derived[self.secret_keys[-1] if secret_key is None else secret_key]  # type: ignore[index]


class TicketSigner:
    """Turns tickets into text and back: all keys verify, the newest signs.

    A ticket's text is base64url of one msgpack array, a dot, and the HMAC-SHA256 in base64url.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._signer = _CachedSigner(keys)

    def sign(self, ticket: Ticket) -> str:
        """The text of a ticket."""
        return self._signer.sign(base64_encode(_encoder.encode(ticket))).decode("ascii")

    def verify(self, text: str) -> Ticket:
        """The ticket in a text; raises TicketForged unless every bit is as signed."""
        if len(text) > MAX_LENGTH or _FORM.fullmatch(text) is None:
            raise TicketForged
        try:
            return _decoder.decode(base64_decode(self._signer.unsign(text)))
        except (BadData, msgspec.MsgspecError, UnicodeError) as error:
            raise TicketForged from error
