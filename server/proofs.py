"""Proofs of work (ALTCHA): challenges of ours, and what solves them."""

import binascii
import hmac
import secrets
import time
from collections.abc import Sequence

import altcha
from altcha.v2 import Payload

from models.ids import ActionId, UserId
from tickets.errors import ProofRequired

ALGORITHM = "PBKDF2/SHA-256"
"""What browsers do in native code, so that a program of one's own gains little."""
ROUNDS = 1_000
"""Of one try: about 0.2 ms, here and in a browser. We pay one to make a challenge, none to verify it."""
SIGNING = b"laurel.proof.v1"
SOLVING = b"laurel.proof-solution.v1"
"""Tie derived keys to their purpose: nothing else that we sign passes as a proof."""


class SolvedProof:
    """A solved challenge, not yet known to be unspent; `expires_at` is Unix seconds."""

    __slots__ = ("expires_at", "name")

    def __init__(self, name: bytes, expires_at: int) -> None:
        self.name = name
        self.expires_at = expires_at


class Proofs:
    """Makes challenges for one player and action, and verifies solutions: all keys verify, the newest signs.

    The answer's counter is chosen by us, so the work is bounded: half to one and a half times `tries`. That a proof is
    used once is not known here but in `models.proofs`.
    """

    def __init__(self, keys: Sequence[bytes], *, tries: int, ttl_seconds: int) -> None:
        self._tries = tries
        self._ttl_seconds = ttl_seconds
        self.adopt(keys)

    def adopt(self, keys: Sequence[bytes]) -> None:
        """Takes other keys, the newest last; what a retired one had signed is good no more."""
        self._keys = [(_derived(key, SIGNING), _derived(key, SOLVING)) for key in keys]

    def challenge(self, user_id: UserId, action_id: ActionId) -> altcha.Challenge:
        """A new challenge, as the widget takes it."""
        signing, solving = self._keys[-1]
        return altcha.create_challenge(
            ALGORITHM,
            ROUNDS,
            counter=self._tries // 2 + secrets.randbelow(self._tries + 1),
            expires_at=int(time.time()) + self._ttl_seconds,
            data={"actionId": action_id, "userId": user_id},
            hmac_secret=signing,
            hmac_key_secret=solving,
        )

    def verify(self, text: str | None, user_id: UserId, action_id: ActionId) -> SolvedProof:
        """The proof in a widget's payload; raises ProofRequired, saying why."""
        if text is None:
            raise _asked(action_id, "missing")
        payload = _payload(text)
        if payload is None:
            raise _asked(action_id, "malformed")
        for signing, solving in self._keys:
            result = altcha.verify_solution(payload, signing, hmac_key_secret=solving)
            if result.expired:
                raise _asked(action_id, "expired")
            if result.verified:
                break
        else:
            raise _asked(action_id, "wrong")
        parameters = payload.challenge.parameters
        if parameters.data != {"actionId": action_id, "userId": user_id}:
            raise _asked(action_id, "not_yours")
        return SolvedProof(bytes.fromhex(str(payload.challenge.signature)), int(parameters.expires_at or 0))


def spent(action_id: ActionId) -> ProofRequired:
    """The refusal of a proof that was used before."""
    return _asked(action_id, "spent")


def _asked(action_id: ActionId, reason: str) -> ProofRequired:
    return ProofRequired(actionId=action_id, reason=reason)


def _payload(text: str) -> Payload | None:
    try:
        return Payload.from_base64(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        return None


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, purpose, "sha256")
