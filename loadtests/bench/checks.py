"""How the compared servers check who calls and what is redeemed: alike, and every time."""

from typing import Any

import jwt
import msgspec
from sanic import Request

from server.settings import Settings
from tickets.errors import TicketForged
from tickets.signer import TicketSigner
from tickets.ticket import Ticket


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a redemption sends."""

    ticket: str


class Refused(Exception):
    """Not a caller, or not the caller's ticket."""


class Checks:
    """PyJWT for the access token and itsdangerous for the ticket; nothing is remembered."""

    def __init__(self, settings: Settings) -> None:
        self._keys = {key.kid: key for key in settings.jwt_keys}
        self._issuer, self._audience = settings.jwt_issuer, settings.jwt_audience
        self._signer = TicketSigner([key.secret for key in settings.ticket_keys])
        self._decode = msgspec.json.Decoder(Body).decode

    def ticket_of(self, request: Request) -> Ticket:
        """The caller's own ticket; raises Refused."""
        try:
            user_id = self._claims(request.headers["authorization"].removeprefix("Bearer "))["sub"]
            ticket = self._signer.verify(self._decode(request.body).ticket)
        except (KeyError, jwt.PyJWTError, TicketForged, msgspec.MsgspecError) as error:
            raise Refused from error
        if ticket.user_id != user_id:
            raise Refused
        return ticket

    def _claims(self, token: str) -> dict[str, Any]:
        key = self._keys[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token, key.key, algorithms=[key.algorithm], issuer=self._issuer, audience=self._audience
        )
        return claims
