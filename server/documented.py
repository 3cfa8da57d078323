"""What a route says of itself in the API's description: one decorator beside its handler.

    @blueprint.post("/api/v1/things")
    @documented(ThingAnswer, status=201, body=NewThing, refuses=("conflict",))
    async def create(request: Request) -> HTTPResponse:
        '''The first line is the summary; what follows is the description.'''

The decorator stands under the route's. Path parameters, the codes of tokens, bodies and limits, 400 and 503 come by
themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Caller = Literal["player", "anyone", "admin", "server", "none"]
"""Whom a route serves: `anyone` may send an access token, a `server` has an API key, `none` is never looked at."""
Handler = TypeVar("Handler", bound=Callable[..., Any])

STATUS = {
    "invalid_request": 400,
    "token_missing": 401,
    "token_invalid": 401,
    "token_expired": 401,
    "login_failed": 401,
    "ticket_forged": 403,
    "ticket_not_yours": 403,
    "forbidden": 403,
    "player_banned": 403,
    "proof_required": 403,
    "not_found": 404,
    "action_unknown": 404,
    "ticket_expired": 409,
    "ticket_too_early": 409,
    "ticket_overlaps": 409,
    "cooldown": 409,
    "daily_limit": 409,
    "action_disabled": 409,
    "conflict": 409,
    "too_large": 413,
    "not_json": 415,
    "rate_limited": 429,
    "busy": 503,
    "database_unavailable": 503,
}
"""The stable words of the contract and the status that each comes with."""

OF_CALLER: Mapping[Caller, tuple[str, ...]] = {
    "player": ("token_missing", "token_invalid", "token_expired"),
    "admin": ("token_missing", "token_invalid", "token_expired", "forbidden"),
    "anyone": ("token_invalid", "token_expired"),
    "server": ("token_missing", "token_invalid"),
    "none": (),
}
OF_BODY = ("too_large", "not_json")
OF_LIMITS = ("rate_limited",)
OF_ALL = ("invalid_request", "busy", "database_unavailable")

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the query or a header; `shape` is a type as msgspec knows it."""

    name: str
    shape: Any
    description: str
    where: Literal["query", "header"] = "query"
    required: bool = False
    example: Any = None


@dataclass(frozen=True, slots=True)
class Refusing:
    """How a route says no in a shape of its own, where that is no problem document.

    `status_of` is the status that a code comes with; `named` the field that holds the code, if one does.
    """

    shape: Any
    status_of: Callable[[str], int]
    named: str | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """A route's own words; a tuple of shapes is one of them.

    `also` are further statuses with the same answer, but 304, which has none; `limits` are names of `server.limits`.
    """

    answer: Any
    status: int
    body: Any
    caller: Caller
    refuses: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    also: Mapping[int, str] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    media_type: str = JSON
    limits: tuple[str, ...] = ()
    refusing: tuple[Refusing, ...] = ()

    def shapes(self) -> list[Any]:
        """Every shape that the route takes or gives."""
        refused = [one.shape for one in self.refusing]
        asked = [parameter.shape for parameter in self.parameters]
        return [*alternatives(self.answer), *alternatives(self.body), *asked, *refused]

    def codes(self) -> list[str]:
        """Every word that the route may refuse with, in the contract's order."""
        given = {*self.refuses, *OF_CALLER[self.caller], *(OF_BODY if self.body is not None else ())}
        given.update(() if self.caller == "none" else OF_ALL)
        given.update(OF_LIMITS if self.limits else ())
        return [code for code in STATUS if code in given]


def documented(
    answer: Any = None,
    *,
    status: int = 200,
    body: Any = None,
    caller: Caller = "player",
    refuses: tuple[str, ...] = (),
    parameters: tuple[Parameter, ...] = (),
    also: Mapping[int, str] | None = None,
    headers: tuple[str, ...] = (),
    media_type: str = JSON,
    limits: tuple[str, ...] = (),
    refusing: tuple[Refusing, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declares a handler: the shapes it takes and answers with, whom it serves, the words that it refuses with."""
    if unknown := [code for code in refuses if code not in STATUS]:
        raise ValueError(f"no code of the contract: {', '.join(unknown)}")
    declared = Declared(
        answer, status, body, caller, refuses, parameters, also or {}, headers, media_type, limits, refusing
    )

    def declare(handler: Handler) -> Handler:
        handler.__dict__["declared"] = declared
        return handler

    return declare


def alternatives(shape: Any) -> tuple[Any, ...]:
    """The shapes that something may have."""
    if shape is None:
        return ()
    return shape if isinstance(shape, tuple) else (shape,)


def declared_of(handler: object) -> Declared | None:
    """What a handler declares, if anything."""
    found = getattr(handler, "declared", None)
    return found if isinstance(found, Declared) else None
