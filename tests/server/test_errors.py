"""Every exception has one problem; every code one status."""

import json

import pytest
from sanic.exceptions import MethodNotAllowed, NotFound, PayloadTooLarge, RequestTimeout, SanicException, ServerError

from actors import errors as actor_errors
from actors.errors import ActorError
from models import errors as model_errors
from models.errors import ModelError
from server import errors as request_errors
from server.errors import TOLD, Problem, RequestError, problem_of
from tickets import errors as ticket_errors
from tickets.errors import TicketError

# The contract, word for word.
STATUS = {
    400: ["invalid_request"],
    401: ["token_missing", "token_invalid", "token_expired", "login_failed"],
    403: ["ticket_forged", "ticket_not_yours", "forbidden", "player_banned", "proof_required"],
    404: ["not_found", "action_unknown"],
    405: ["invalid_request"],
    408: ["busy"],
    409: [
        "ticket_expired",
        "ticket_too_early",
        "ticket_overlaps",
        "cooldown",
        "daily_limit",
        "action_disabled",
        "conflict",
    ],
    413: ["too_large"],
    415: ["not_json"],
    429: ["rate_limited"],
    503: ["busy", "database_unavailable"],
}


def kinds(module: object, root: type[Exception]) -> list[type[Exception]]:
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, root)]
    return [kind for kind in found if kind is not root]


ALL = (
    kinds(request_errors, RequestError)
    + kinds(ticket_errors, TicketError)
    + kinds(actor_errors, ActorError)
    + kinds(model_errors, ModelError)
)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_of_the_contract(kind: type[Exception]):
    error = kind() if issubclass(kind, TicketError) else kind("secret detail")
    problem = problem_of(error)
    assert problem.code in STATUS[problem.status]
    assert problem.detail
    if not issubclass(kind, (RequestError, *TOLD)):
        assert "secret" not in problem.detail


@pytest.mark.parametrize(
    "error", [NotFound("x"), PayloadTooLarge("x"), RequestTimeout("x"), MethodNotAllowed("x", "GET", ("POST",))]
)
def test_sanics_own_errors_have_one_too(error: SanicException):
    problem = problem_of(error)
    assert problem.code in STATUS[problem.status]


@pytest.mark.parametrize("error", [RuntimeError("secret"), ServerError("secret"), ActorError("secret"), KeyError("x")])
def test_anything_else_is_a_fault_of_ours_and_says_nothing(error: Exception):
    problem = problem_of(error)
    assert (problem.status, problem.code) == (500, "internal_error")
    assert "secret" not in problem.body().decode()


def test_facts_stand_beside_the_form_and_never_over_it():
    body = json.loads(Problem(409, "cooldown", "Wait.", {"waitMs": 5, "status": 200, "code": "ok"}).body())
    assert body == {
        "type": "urn:laurel:problem:cooldown",
        "title": "Conflict",
        "status": 409,
        "detail": "Wait.",
        "code": "cooldown",
        "waitMs": 5,
    }


def test_headers_belong_to_the_status():
    assert Problem(401, "token_missing", "x", {}).headers() == {"WWW-Authenticate": 'Bearer realm="laurel"'}
    expired = Problem(401, "token_expired", "It is over.", {}).headers()["WWW-Authenticate"]
    assert expired == 'Bearer realm="laurel", error="invalid_token", error_description="It is over."'
    assert Problem(503, "busy", "x", {}).headers() == {"Retry-After": "1"}
    assert Problem(429, "rate_limited", "x", {"retryAfterSeconds": 7}).headers() == {"Retry-After": "7"}
    assert Problem(409, "conflict", "x", {}).headers() == {}
