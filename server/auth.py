"""Access tokens: minted, verified and remembered."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from uuid import uuid4

import jwt
from sanic import Request

from models.ids import UserId, is_uuid
from server.errors import TokenExpired, TokenInvalid, TokenMissing
from server.keys import JwtKey
from server.settings import Settings

TYPE = "at+jwt"
REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti"]
MAX_LENGTH = 4_096
REMEMBERED = 100_000
"""Verified tokens kept; the oldest leave first."""
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Session:
    """Who a verified token speaks for; `expires_at` is Unix seconds."""

    user_id: UserId
    role: str
    expires_at: float
    token_id: str


class Tokens:
    """Mints and verifies JWTs: a key has one algorithm, chosen by `kid`; the newest signs.

    A verified token is remembered by its digest until it expires: verifying takes 19 µs, remembering 1.
    """

    def __init__(self, settings: Settings) -> None:
        self._keys = {key.kid: key for key in settings.jwt_keys}
        self._newest: JwtKey = settings.jwt_keys[-1]
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self.ttl_seconds = settings.access_ttl_seconds
        self._remembered: dict[bytes, Session] = {}

    def mint(self, user_id: UserId, role: str, ttl_seconds: int | None = None) -> str:
        """An access token for a player."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user_id,
            "iat": now,
            "exp": now + (self.ttl_seconds if ttl_seconds is None else ttl_seconds),
            "jti": str(uuid4()),
            "role": role,
        }
        headers = {"kid": self._newest.kid, "typ": TYPE}
        return jwt.encode(claims, self._newest.key, algorithm=self._newest.algorithm, headers=headers)

    def required(self, request: Request) -> Session:
        """The caller's session; raises TokenMissing, TokenInvalid or TokenExpired."""
        header = request.headers.get("authorization")
        if header is None:
            raise TokenMissing("send an access token")
        return self.verify(_bearer(header))

    def optional(self, request: Request) -> Session | None:
        """The caller's session if a token was sent; one that is sent must be good."""
        header = request.headers.get("authorization")
        return None if header is None else self.verify(_bearer(header))

    def verify(self, token: str) -> Session:
        """The session of a token; raises TokenInvalid or TokenExpired."""
        if len(token) > MAX_LENGTH:
            raise TokenInvalid("the access token is too long")
        digest = blake2b(token.encode("utf-8", "surrogatepass"), digest_size=20).digest()
        session = self._remembered.get(digest)
        if session is None:
            session = self._verified(token)
            self._remember(digest, session)
        if session.expires_at <= time.time():
            self._remembered.pop(digest, None)
            raise TokenExpired("the access token has expired")
        return session

    def _verified(self, token: str) -> Session:
        try:
            claims = self._claims(token)
            user_id, role, token_id = claims["sub"], claims.get("role", "player"), claims["jti"]
            expires_at = float(claims["exp"])
        except jwt.ExpiredSignatureError as error:
            raise TokenExpired("the access token has expired") from error
        except (
            jwt.PyJWTError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            raise TokenInvalid("the access token is not valid") from error
        if not isinstance(user_id, str) or not is_uuid(user_id) or not isinstance(token_id, str):
            raise TokenInvalid("the access token names no player")
        return Session(UserId(user_id), role if role == ADMIN else "player", expires_at, token_id)

    def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        key = self._keys.get(header.get("kid", ""))
        if key is None or header.get("typ", "").lower() != TYPE or "crit" in header:
            raise TokenInvalid("the access token is not valid")
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            issuer=self._issuer,
            audience=self._audience,
            options={"require": REQUIRED, "strict_aud": True},
        )
        return claims

    def _remember(self, digest: bytes, session: Session) -> None:
        if len(self._remembered) >= REMEMBERED:
            for oldest in _first(self._remembered, REMEMBERED // 10):
                del self._remembered[oldest]
        self._remembered[digest] = session


def _first(remembered: dict[bytes, Session], count: int) -> Sequence[bytes]:
    return [digest for digest, _ in zip(remembered, range(count), strict=False)]


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid("send Authorization: Bearer <token>")
    return token
