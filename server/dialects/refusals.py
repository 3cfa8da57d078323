"""How each dialect says no: native problems in its own shape."""

from http import HTTPStatus
from typing import TypeAlias

from server.dialects.shapes import CodedRefusal, PlainRefusal, StatusRefusal
from server.errors import Problem

Refusal: TypeAlias = tuple[int, CodedRefusal | StatusRefusal | PlainRefusal]
"""The status and the body."""

MALFORMED = "Invalid action or request format."
UNAUTHORIZED = "Unauthorized score update attempt."
OTHERS = frozenset({"token_missing", "token_invalid", "token_expired", "ticket_not_yours", "forbidden"})
"""What D calls unauthorized: no good token, or somebody else's score."""
KEPT = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR})
"""Statuses that D keeps: none of them says that the request is wrong."""


def coded(problem: Problem) -> Refusal:
    """As A, B and E say it: status and code as everywhere."""
    return problem.status, CodedRefusal(success=False, error=problem.code, message=problem.detail)


def with_status(problem: Problem) -> Refusal:
    """As C says it: the status as everywhere, and a sentence."""
    return problem.status, StatusRefusal(status="error", error=problem.detail)


def plain(problem: Problem) -> Refusal:
    """As D says it: 400 and 403 with its own two sentences, and what may be sent again."""
    if problem.status in KEPT:
        return problem.status, PlainRefusal(success=False, error=problem.detail)
    if problem.code in OTHERS:
        return 403, PlainRefusal(success=False, error=UNAUTHORIZED)
    return 400, PlainRefusal(success=False, error=MALFORMED)
