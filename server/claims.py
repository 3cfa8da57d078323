"""Judges one access token by one key; pure but for the clock that PyJWT reads."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import jwt

from models.ids import is_uuid
from server.errors import TokenExpired, TokenInvalid
from server.verifying import VerifyingKey

TYPE = "at+jwt"
REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti"]
TIMES = ("iat", "exp", "nbf")
LATEST = 253_402_300_799
"""The last second of the year 9999: later ones no database keeps."""
MAX_LENGTH = 4_096
MAX_SUBJECT = 255
MAX_TOKEN_ID = 255

# What names a key, or changes what is signed. A key is found by its `kid` alone, so these have no business here.
REFUSED_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"})

# Three parts of base64url without padding; PyJWT takes padding, and one text more is one text too many.
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

NOT_VALID = "the access token is not valid"
# Whatever a strange token makes the libraries raise; each of it is the token's fault.
FAULTS = (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says; `session` names what a log-out ends."""

    issuer: str
    subject: str
    token_id: str
    expires_at: float
    role: str
    session: str


@dataclass(frozen=True, slots=True)
class Expected:
    """Who must have made a token, and for whom; an outside issuer may name several audiences."""

    issuer: str
    audience: str
    outside: bool = False


def header_of(token: str) -> dict[str, Any]:
    """The header of what has a token's form; raises TokenInvalid. Nothing of it is trusted yet."""
    if len(token) > MAX_LENGTH:
        raise TokenInvalid("the access token is too long")
    if _FORM.fullmatch(token) is None:
        raise TokenInvalid(NOT_VALID)
    try:
        header = jwt.get_unverified_header(token)
    except FAULTS as error:
        raise TokenInvalid(NOT_VALID) from error
    kid, kind = header.get("kid"), header.get("typ")
    if not isinstance(kid, str) or not isinstance(kind, str) or kind.lower() != TYPE:
        raise TokenInvalid(NOT_VALID)
    if not REFUSED_HEADERS.isdisjoint(header):
        raise TokenInvalid(NOT_VALID)
    return header


def judge(token: str, key: VerifyingKey, expected: Expected) -> Claims:
    """The claims of a token whose header was looked at; raises TokenInvalid or TokenExpired."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            issuer=expected.issuer,
            audience=expected.audience,
            options={"require": REQUIRED, "strict_aud": not expected.outside},
        )
        return _claims(claims, expected)
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired("the access token has expired") from error
    except FAULTS as error:
        raise TokenInvalid(NOT_VALID) from error


def _claims(claims: dict[str, Any], expected: Expected) -> Claims:
    """The claims in their types; raises ValueError or TypeError."""
    for name in TIMES:
        if name in claims and type(claims[name]) not in (int, float):
            raise TypeError("a time is a number")
    if claims["exp"] > LATEST:
        raise ValueError("a time past all calendars")
    subject, token_id = claims["sub"], claims["jti"]
    if not 0 < len(subject) <= MAX_SUBJECT or not 0 < len(token_id) <= MAX_TOKEN_ID:
        raise ValueError("a name is empty or too long")
    if "\0" in subject:
        raise ValueError("no database keeps this subject")
    subject.encode()  # raises for lone surrogates
    issuer, role = expected.issuer, claims.get("role")
    session = claims.get("sid")
    if expected.outside or session is None:
        # An outside issuer's `sid` is no session of ours: its tokens are ended one by one.
        session = (
            f"token:{sha256(f'{expected.outside} {issuer} {token_id}'.encode('utf-8', 'surrogatepass')).hexdigest()}"
        )
    elif not isinstance(session, str) or not is_uuid(session):
        raise ValueError("this names no session")
    if not expected.outside and not is_uuid(subject):
        raise ValueError("this names no player")
    return Claims(issuer, subject, token_id, float(claims["exp"]), role if isinstance(role, str) else "", session)
