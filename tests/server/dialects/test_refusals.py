"""Each dialect's no, for every problem there is."""

import msgspec
import pytest

from server.dialects.refusals import MALFORMED, UNAUTHORIZED, coded, plain, with_status
from server.errors import Problem

UNAUTHORIZED_IN_D = {"token_missing", "token_invalid", "token_expired", "ticket_not_yours", "forbidden"}
CODES = {
    400: ["invalid_request"],
    401: ["token_missing", "token_invalid", "token_expired"],
    403: ["ticket_forged", "ticket_not_yours", "forbidden", "player_banned", "proof_required"],
    404: ["not_found", "action_unknown"],
    405: ["invalid_request"],
    409: [
        *("ticket_expired", "ticket_too_early", "ticket_overlaps"),
        *("cooldown", "daily_limit", "action_disabled", "conflict"),
    ],
    413: ["too_large"],
    415: ["not_json"],
    429: ["rate_limited"],
    500: ["internal_error"],
    503: ["busy", "database_unavailable"],
}
PROBLEMS = [
    Problem(status, code, "A sentence.", {"waitMs": 7, "retryAfterSeconds": 3})
    for status, codes in CODES.items()
    for code in codes
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: f"{problem.status}-{problem.code}")
def test_a_problem_in_every_shape(problem: Problem):
    def said(refuse):
        status, body = refuse(problem)
        return status, msgspec.json.decode(msgspec.json.encode(body))

    assert said(coded) == (problem.status, {"success": False, "error": problem.code, "message": "A sentence."})
    assert said(with_status) == (problem.status, {"status": "error", "error": "A sentence."})
    if problem.status in (429, 500, 503):
        expected = (problem.status, "A sentence.")
    elif problem.code in UNAUTHORIZED_IN_D:
        expected = (403, UNAUTHORIZED)
    else:
        expected = (400, MALFORMED)
    assert said(plain) == (expected[0], {"success": False, "error": expected[1]})
    assert (MALFORMED, UNAUTHORIZED) == ("Invalid action or request format.", "Unauthorized score update attempt.")
