"""The shapes of what a proof of work is asked with."""

from server.wire.fields import Wire


class ChallengeParameters(Wire, frozen=True):
    """What is to be found: the counter whose derived key begins with a prefix; `data` says for whom and what."""

    algorithm: str
    cost: int
    key_length: int
    key_prefix: str
    nonce: str
    salt: str
    key_signature: str
    expires_at: int
    data: dict[str, str]


class ChallengeAnswer(Wire, frozen=True):
    """An ALTCHA challenge, as its widget takes it."""

    parameters: ChallengeParameters
    signature: str
