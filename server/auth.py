"""Access tokens: minted, verified and remembered."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from uuid import uuid4

import jwt
from sanic import Request

from models.ids import UserId
from server.claims import MAX_LENGTH, NOT_VALID, TYPE, Claims, Expected, header_of, judge
from server.errors import RequestError, TokenExpired, TokenInvalid, TokenMissing
from server.keys import JwtKey, newest_signing
from server.settings import Settings
from server.verifying import VerifyingKey, signing, verifying

REMEMBERED = 100_000
"""Verified tokens kept; the oldest leave first."""
ADMIN = "admin"
PLAYER = "player"


@dataclass(frozen=True, slots=True)
class Session:
    """Who a verified token speaks for; `expires_at` is Unix seconds, `session` what a log-out ends."""

    user_id: UserId
    role: str
    expires_at: float
    token_id: str
    session: str


@dataclass(slots=True)
class Revoked:
    """What is refused although it is signed and not expired: until when, by session and by player."""

    sessions: dict[str, float] = field(default_factory=dict)
    players: dict[str, float] = field(default_factory=dict)

    def covers(self, session: Session) -> bool:
        """Whether a token's session has ended, or its player is gone."""
        return session.session in self.sessions or session.user_id in self.players


class Tokens:
    """Mints and verifies JWTs: a key has one algorithm, chosen by `kid`; the newest signs.

    A verified token is remembered by its digest until it expires: verifying takes 19 µs, remembering 1. Tokens of an
    outside issuer are verified here too, but only `server.admission` can say whose they are.
    """

    def __init__(self, settings: Settings, revoked: Revoked | None = None) -> None:
        self._own = Expected(settings.jwt_issuer, settings.jwt_audience)
        self._foreign = Expected(settings.jwks_issuer or settings.jwt_issuer, settings.jwt_audience, outside=True)
        self.ttl_seconds = settings.access_ttl_seconds
        self._revoked = Revoked() if revoked is None else revoked
        self._remembered: dict[bytes, Session] = {}
        self._keys: dict[str, VerifyingKey] = {}
        self._outside: Mapping[str, VerifyingKey] = {}
        self.adopt(settings.jwt_keys)

    def adopt(self, keys: Sequence[JwtKey]) -> None:
        """Takes other keys, the newest last; what a retired one had signed is good no more."""
        taken = {key.kid: verifying(key) for key in keys}
        newest = newest_signing(keys)
        self._signing = (newest.kid, newest.algorithm, signing(newest))
        self._forget_unless(self._keys, taken)
        self._keys = taken

    def adopt_outside(self, keys: Mapping[str, VerifyingKey]) -> None:
        """Takes other keys of the outside issuer; a `kid` of our own stays ours."""
        self._forget_unless(self._outside, keys)
        self._outside = keys

    def _forget_unless(self, before: Mapping[str, VerifyingKey], after: Mapping[str, VerifyingKey]) -> None:
        if any(after.get(kid) != key for kid, key in before.items()):
            self._remembered.clear()

    def mint(self, user_id: UserId, role: str, ttl_seconds: int | None = None, session: str | None = None) -> str:
        """An access token for a player, of a session if one is named."""
        now = int(time.time())
        claims = {
            "iss": self._own.issuer,
            "aud": self._own.audience,
            "sub": user_id,
            "iat": now,
            "exp": now + (self.ttl_seconds if ttl_seconds is None else ttl_seconds),
            "jti": str(uuid4()),
            "role": role,
        }
        if session is not None:
            claims["sid"] = session
        kid, algorithm, key = self._signing
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid, "typ": TYPE})

    def required(self, request: Request) -> Session:
        """The caller's session; raises TokenMissing, TokenInvalid or TokenExpired."""
        header = request.headers.get("authorization")
        if header is None:
            raise TokenMissing("send an access token")
        return self.verify(bearer(header))

    def optional(self, request: Request) -> Session | None:
        """The caller's session if a token was sent; one that is sent must be good."""
        header = request.headers.get("authorization")
        return None if header is None else self.verify(bearer(header))

    def verify(self, token: str) -> Session:
        """The session of a token; raises TokenInvalid or TokenExpired.

        One of an outside issuer has to be admitted before.
        """
        if len(token) > MAX_LENGTH:
            raise TokenInvalid("the access token is too long")
        digest = _digest(token)
        session = self._remembered.get(digest)
        if session is None:
            session = self._verified(token)
            self._remember(digest, session)
        if session.expires_at <= time.time():
            self._remembered.pop(digest, None)
            raise TokenExpired("the access token has expired")
        if session.session in self._revoked.sessions or session.user_id in self._revoked.players:
            raise TokenInvalid("the session of this access token has ended")
        return session

    def is_foreign(self, token: str) -> bool:
        """Whether only the outside issuer could have made it, and it is not remembered."""
        if len(token) > MAX_LENGTH or _digest(token) in self._remembered:
            return False
        try:
            return header_of(token)["kid"] not in self._keys
        except RequestError:
            return False

    def lacks_key(self, token: str) -> bool:
        """Whether the key of a foreign token is not known."""
        return header_of(token)["kid"] not in self._outside

    def foreign_claims(self, token: str) -> Claims:
        """What a foreign token says; raises TokenInvalid or TokenExpired."""
        key = self._outside.get(header_of(token)["kid"])
        if key is None:
            raise TokenInvalid(NOT_VALID)
        return judge(token, key, self._foreign)

    def admit(self, token: str, claims: Claims, user_id: UserId, role: str) -> None:
        """Remembers whose a foreign token is; its own `role` claim counts for nothing."""
        session = Session(user_id, _role(role), claims.expires_at, claims.token_id, claims.session)
        self._remember(_digest(token), session)

    def _verified(self, token: str) -> Session:
        key = self._keys.get(header_of(token)["kid"])
        if key is None:
            self.foreign_claims(token)
            raise TokenInvalid("whose this access token is could not be found out")
        claims = judge(token, key, self._own)
        user_id = UserId(claims.subject)
        return Session(user_id, _role(claims.role), claims.expires_at, claims.token_id, claims.session)

    def _remember(self, digest: bytes, session: Session) -> None:
        if len(self._remembered) >= REMEMBERED:
            for oldest in _first(self._remembered, REMEMBERED // 10):
                del self._remembered[oldest]
        self._remembered[digest] = session


def bearer(header: str) -> str:
    """The token in an Authorization header; raises TokenInvalid."""
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid("send Authorization: Bearer <token>")
    return token


def _role(role: str) -> str:
    return role if role == ADMIN else PLAYER


def _digest(token: str) -> bytes:
    return blake2b(token.encode("utf-8", "surrogatepass"), digest_size=20).digest()


def _first(remembered: dict[bytes, Session], count: int) -> Sequence[bytes]:
    return [digest for digest, _ in zip(remembered, range(count), strict=False)]
