"""Tokens of an outside issuer: their keys and players looked up before a handler runs."""

from typing import TYPE_CHECKING

from sanic import Request

from actors.supervisor import Supervisor
from models.database import Database
from models.outsiders import outsider
from server.auth import Session, Tokens, bearer
from server.errors import RequestError, TokenInvalid

if TYPE_CHECKING:
    from server.key_source import KeySource

SUBPROTOCOL = "bearer."


class Admission:
    """Finds out whose a foreign token is, so that `Tokens.verify` knows it; nothing to do for our own.

    A player is made at the first use and mapped by (issuer, subject): what a subject looks like means nothing.
    """

    def __init__(self, tokens: Tokens, source: "KeySource | None", database: Database, supervisor: Supervisor) -> None:
        self._tokens = tokens
        self._source = source
        self._database = database
        self._supervisor = supervisor

    async def admit_caller(self, request: Request) -> None:
        """Middleware: admits the token in the header or the subprotocol; refusing it is the handler's."""
        header = request.headers.get("authorization")
        if header is not None:
            try:
                await self.admit(bearer(header))
            except TokenInvalid:
                return
        offered = request.headers.get("sec-websocket-protocol")
        if offered is not None:
            for item in offered.split(","):
                if item.strip().startswith(SUBPROTOCOL):
                    await self.admit(item.strip().removeprefix(SUBPROTOCOL))

    async def verify(self, token: str) -> Session:
        """The session of a token that came some other way; raises as `Tokens.verify` and `Database.rows`."""
        await self.admit(token)
        return self._tokens.verify(token)

    async def admit(self, token: str) -> None:
        """Looks up a foreign token; what is wrong with it is for `Tokens.verify` to say."""
        if self._source is None or not self._tokens.is_foreign(token):
            return
        if self._tokens.lacks_key(token):
            await self._source.learn()
        try:
            claims = self._tokens.foreign_claims(token)
        except RequestError:
            return
        found = await self._supervisor.detached("admit", outsider(self._database, claims.issuer, claims.subject))
        self._tokens.admit(token, claims, found.user_id, found.role)
