"""Errors to HTTP: one table, one form (RFC 9457).

RequestError      what only HTTP knows: bodies, tokens, addresses
├── InvalidRequest · NotJson · TooLarge · NotFound · Forbidden · Conflict
├── TokenMissing · TokenInvalid · TokenExpired · LoginFailed
└── UnderWay      not refused: it goes on
"""

import logging
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
from sanic import HTTPResponse, Request
from sanic.exceptions import MethodNotAllowed, SanicException

from actors.errors import (
    Busy,
    EntryUnknown,
    KeyConflict,
    PlayerUnknown,
    ScoreExists,
    ScoreOutOfRange,
    TooManyGroups,
    Unchanged,
)
from models.errors import BoardConflict, BoardInvalid, CatalogueInvalid, DatabaseUnavailable, DataRejected, ModelError
from tickets.errors import TicketError

log = logging.getLogger("laurel.server")

RETRY_AFTER_SECONDS = 1
PROBLEM = "application/problem+json"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TYPE_PREFIX = "urn:laurel:problem:"


class RequestError(Exception):
    """A request that is refused before anything happened; `facts` go into the answer."""

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 400

    def __init__(self, detail: str = "", **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts


class InvalidRequest(RequestError):
    """Not well formed."""


class NotJson(RequestError):
    """The content type is not JSON."""

    code, status = "not_json", 415


class TooLarge(RequestError):
    """The body is too large."""

    code, status = "too_large", 413


class NotFound(RequestError):
    """There is no such thing."""

    code, status = "not_found", 404


class Forbidden(RequestError):
    """Not allowed for this caller."""

    code, status = "forbidden", 403


class Conflict(RequestError):
    """Well formed, but the state says no."""

    code, status = "conflict", 409


class TokenMissing(RequestError):
    """No access token was sent."""

    code, status = "token_missing", 401


class TokenInvalid(RequestError):
    """The access token is not one of ours."""

    code, status = "token_invalid", 401


class TokenExpired(RequestError):
    """The access token has expired."""

    code, status = "token_expired", 401


class UnderWay(RequestError):
    """It is being done, and takes longer than an answer should."""

    code, status = "busy", 503


class LoginFailed(RequestError):
    """Unknown name or wrong password; which of them is not told."""

    code, status = "login_failed", 401


TICKET_STATUS = {
    "ticket_forged": 403,
    "ticket_not_yours": 403,
    "player_banned": 403,
    "proof_required": 403,
    "action_unknown": 404,
}
"""Refusals that are not 409."""

TABLE: tuple[tuple[type[Exception], int, str, str], ...] = (
    (DatabaseUnavailable, 503, "database_unavailable", "The database does not answer; the request may be sent again."),
    (Busy, 503, "busy", "Too much is under way; the request may be sent again."),
    (PlayerUnknown, 401, "token_invalid", "The player of this token does not exist."),
    (EntryUnknown, 404, "not_found", "Nothing is recorded under this id."),
    (KeyConflict, 409, "conflict", "This idempotency key was used with another request."),
    (ScoreOutOfRange, 409, "conflict", "The score would leave its range."),
    (ScoreExists, 409, "conflict", "This player has a score already."),
    (TooManyGroups, 409, "conflict", "This player is in as many groups as one may be."),
    (Unchanged, 409, "conflict", "It is so already."),
    (BoardInvalid, 400, "invalid_request", "The board breaks a rule."),
    (BoardConflict, 409, "conflict", "The board may not be changed so."),
    (CatalogueInvalid, 400, "invalid_request", "The catalogue breaks a rule."),
    (DataRejected, 400, "invalid_request", "The database refuses a value of this request."),
    (ModelError, 503, "busy", "The request may be sent again."),
)

TOLD = (BoardInvalid, BoardConflict, CatalogueInvalid)
"""Errors whose own words are for the one who asked."""


class Problem(msgspec.Struct, frozen=True):
    """What an error is to the one who asked: status, stable word, sentence and facts."""

    status: int
    code: str
    detail: str
    facts: dict[str, Any]

    def body(self) -> bytes:
        """The RFC 9457 document."""
        known = {
            "type": TYPE_PREFIX + self.code,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        return msgspec.json.encode(self.facts | known)

    def headers(self) -> dict[str, str]:
        """The headers that belong to the status: RFC 6750 for 401, Retry-After for 429 and 503."""
        if self.status == HTTPStatus.UNAUTHORIZED:
            challenge = 'Bearer realm="laurel"'
            if self.code in ("token_invalid", "token_expired"):
                challenge += f', error="invalid_token", error_description="{self.detail}"'
            return {"WWW-Authenticate": challenge}
        if self.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
            return {"Retry-After": str(self.facts.get("retryAfterSeconds", RETRY_AFTER_SECONDS))}
        return {}


def problem_of(error: BaseException) -> Problem:
    """The problem that an exception stands for; anything unknown is a fault of ours."""
    if isinstance(error, RequestError):
        return Problem(error.status, error.code, error.detail or (type(error).__doc__ or ""), error.facts)
    if isinstance(error, TicketError):
        return Problem(TICKET_STATUS.get(error.code, 409), error.code, error.sentence, error.facts)
    for kind, status, code, sentence in TABLE:
        if isinstance(error, kind):
            detail = str(error) if isinstance(error, TOLD) else sentence
            return Problem(status, code, detail, {})
    if isinstance(error, SanicException):
        return _of_sanic(error)
    return Problem(500, "internal_error", "Something went wrong on our side; it is in the log.", {})


def _of_sanic(error: SanicException) -> Problem:
    status = error.status_code
    codes = {404: "not_found", 413: "too_large", 401: "token_invalid", 403: "forbidden", 408: "busy", 503: "busy"}
    fallback = "internal_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request"
    return Problem(status, codes.get(status, fallback), HTTPStatus(status).phrase + ".", {})


def _allowed(request: Request) -> list[str]:
    """The methods of a path: Sanic does not tell them where several routes share a path with parameters."""
    allowed = []
    for method in METHODS:
        try:
            request.app.router.get(request.path, method, request.headers.get("host"))
        except SanicException:
            continue
        allowed.append(method)
    return allowed


async def answer_error(request: Request, error: Exception) -> HTTPResponse:
    """Sanic's handler for every exception."""
    problem = problem_of(error)
    request.app.ctx.runtime.tallies.refusals[problem.code] += 1
    if problem.code == "internal_error":
        log.error("unexpected error", exc_info=error, extra={"path": request.path})
    headers = problem.headers()
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(_allowed(request))
    return HTTPResponse(problem.body(), problem.status, headers, PROBLEM)
