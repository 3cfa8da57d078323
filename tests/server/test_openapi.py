"""The API's description: every route in it, sound, and true of a running server."""

import inspect
import json
import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import jsonschema
import jwt
import pytest
from openapi_spec_validator import validate
from sanic import Sanic

from server.app import make_app
from server.documented import STATUS, documented
from server.errors import TICKET_STATUS, RequestError
from server.limits import Policies
from server.openapi import Document, document, operations
from server.settings import Settings
from tests.caller import Caller, player
from tests.laurel_process import LaurelProcess, until
from tickets.errors import TicketError

Json = Any
APP = make_app(Settings())
Sanic.unregister_app(APP)  # its name is free again for others
DOCUMENT = document(APP)
ROUTES = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods]


def test_the_document_is_sound():
    validate(json.loads(json.dumps(DOCUMENT)))


def test_every_route_is_described_and_no_other():
    found = {
        (method.lower(), route.path.lstrip("/").count("/"), route.handler)
        for route in APP.router.routes
        for method in route.methods
        if route.path.lstrip("/").startswith(("api/", ".well-known/", "healthz", "readyz", "metrics"))
    }
    told = {(one.method, one.path.lstrip("/").count("/"), one.handler) for one in operations(APP)}
    missing = sorted(handler.__qualname__ for _, _, handler in found - told)
    assert not missing, f"without @documented: {', '.join(missing)}"
    assert found == told
    assert len(found) == len(ROUTES)


def test_limits_are_described_where_they_are_spent():
    for one in operations(APP):
        source = inspect.getsource(inspect.getmodule(one.handler) if one.tag == "dialects" else one.handler)
        spent = set(re.findall(r'await limited\(\s*request, "([a-z-]+)"', source))
        told = set(one.declared.limits)
        assert told <= spent if one.tag == "dialects" else told == spent, one.name
        assert all(Policies(Settings()).get(name) for name in told), one.name
        answers = DOCUMENT["paths"][one.path][one.method]["responses"]
        for status in (str(one.declared.status), "429"):
            headers = answers.get(status, {}).get("headers", {})
            assert ("RateLimit" in headers) == ("RateLimit-Policy" in headers) == bool(told), one.name
        assert ("429" in answers) == bool(told or "rate_limited" in one.declared.refuses), one.name


def test_what_is_raised_beside_a_route_is_described():
    told: dict[object, set[str]] = {}
    for one in operations(APP):
        answers = {"not_found"} if "{" in one.path else set()
        told.setdefault(inspect.getmodule(one.handler), set()).update(one.declared.codes(), answers)
    for module, codes in told.items():
        raised = {getattr(module, name, None) for name in re.findall(r"\braise (\w+)", inspect.getsource(module))}
        assert {kind.code for kind in raised if hasattr(kind, "code")} <= codes, module.__name__


def test_live_connections_are_refused_beyond_so_many():
    for path in ("/api/v1/live", "/api/v1/live/events"):
        assert "Retry-After" in DOCUMENT["paths"][path]["get"]["responses"]["429"]["headers"]


def test_the_codes_are_those_of_the_errors():
    def all_of(kind: type) -> Iterator[type]:
        for sub in kind.__subclasses__():
            yield sub
            yield from all_of(sub)

    for error in all_of(RequestError):
        assert STATUS[error.code] == error.status
    for error in all_of(TicketError):
        assert STATUS[error.code] == TICKET_STATUS.get(error.code, 409)


def test_an_unknown_code_is_refused_at_once():
    with pytest.raises(ValueError, match="no code of the contract: oops"):
        documented(refuses=("oops",))


def resolver(schema: Json) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def examples_in(content: Json) -> list[Json]:
    named = [one["value"] for one in content.get("examples", {}).values()]
    return [content["example"]] if "example" in content else named


def test_examples_fit_their_shapes():
    shown = 0
    for _, operation in each():
        contents = [*operation.get("requestBody", {}).get("content", {}).values()]
        for answer in operation["responses"].values():
            contents += answer.get("content", {}).values()
        for content in contents:
            for example in examples_in(content):
                shown += 1
                resolver(content["schema"]).validate(example)
    assert shown >= 60


def each() -> Iterator[tuple[tuple[str, str], Document]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield (method, path), operation


def test_every_json_answer_and_body_has_an_example():
    bare = []
    for (method, path), operation in each():
        contents = {"body": operation.get("requestBody", {}).get("content", {})}
        contents |= {status: one.get("content", {}) for status, one in operation["responses"].items() if status < "3"}
        for where, content in contents.items():
            if "application/json" in content and None in (examples_in(content["application/json"]) or [None]):
                bare.append(f"{method} {path} {where}")
    assert not bare, "without an example in server/examples.py: " + ", ".join(bare)


# -- against a running server -------------------------------------------------------------------------------------


def test_both_pages_are_served_as_they_are(laurel: LaurelProcess):
    for url in laurel.urls:
        told = httpx.get(f"{url}/openapi.json", trust_env=False)
        assert (told.headers["content-type"], told.json()) == ("application/json", json.loads(json.dumps(DOCUMENT)))
        page = httpx.get(f"{url}/docs", trust_env=False)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "<script" not in page.text
        assert "http://" not in page.text
        assert "https://" not in page.text
        for _, path in ROUTES:
            assert f"<code>{path}</code>" in page.text


# What differs from one run to the next; the rest of an answer is as its example says.
VOLATILE = {
    "userId", "username", "displayName", "ticketId", "ticket", "accessToken", "refreshToken", "keyId", "apiKey",
    "signature", "keyPrefix", "keySignature", "nonce", "salt", "expiresAt", "issuedAt", "redeemableAt", "createdAt",
    "reachedAt", "asOf", "epoch", "version", "rank", "leaderboardPosition", "totalUsers", "percentile",
    "pointsToNextRank", "pointsToTop10", "next", "entries", "entryId", "at", "effectiveAt", "since", "sessionId",
    "updatedAt", "caller", "receipt", "groupId", "lastUpdated", "leaderboard", "topScores", "keys", "actionId",
    "boardId", "period",
}  # fmt: skip


LIMIT_HEADERS = {"ratelimit", "ratelimit-policy"}


def assert_like(shown: Json, told: Json, where: str, *, exactly: bool = True) -> None:
    """That an answer has its example's names and types, and its values where nothing is volatile."""
    if not exactly and (shown is None or told is None):
        return
    if isinstance(shown, dict):
        assert set(shown) == set(told), where
        for name, value in shown.items():
            assert_like(value, told[name], f"{where}.{name}", exactly=exactly and name not in VOLATILE)
    elif isinstance(shown, list):
        assert isinstance(told, list), where
        for one in told if shown else ():
            # Of a list the example shows one: the answer has it too, among others of its form.
            assert_like(shown[0], one, f"{where}[]", exactly=False)
        if exactly and shown and not isinstance(shown[0], dict):
            assert shown == told, where
    elif exactly:
        assert shown == told, where
    else:
        assert shown is None or told is None or type(shown) is type(told), where


def sent(
    laurel: LaurelProcess,
    method: str,
    path: str,
    caller: Caller | None = None,
    *,
    exactly: bool = True,
    pick: int = 0,
    **changed: Json,
) -> Json:
    """The answer to a route's example, this run's ids in it, after it was compared with the example's answer.

    `pick` says which of several examples; not `exactly` that the answer's values are other than the example's.
    """
    operation = DOCUMENT["paths"][path][method]
    parameters = operation.get("parameters", [])
    query = changed.pop("query", {}) | {
        one["name"]: one["example"] for one in parameters if one["in"] == "query" and "example" in one
    }
    address = path
    for one in parameters:
        if one["in"] == "path":
            address = address.replace("{" + one["name"] + "}", changed.pop(one["name"]))
    headers = changed.pop("headers", {}) | ({"Authorization": f"Bearer {caller.token}"} if caller else {})
    body = None
    if "requestBody" in operation:
        body = examples_in(operation["requestBody"]["content"]["application/json"])[pick] | changed
    answer = httpx.request(
        method.upper(), laurel.urls[0] + address, params=query, json=body, headers=headers, trust_env=False
    )
    status, described = next(iter(operation["responses"].items()))
    assert str(answer.status_code) == status, f"{method} {path}: {answer.text}"
    # Here limits are lifted; where they are not, `test_http_limits` asks for their headers.
    assert {name.lower() for name in described.get("headers", {})} - LIMIT_HEADERS <= set(answer.headers)
    if "content" not in described:
        assert answer.content == b""
        return None
    ((media_type, content),) = described["content"].items()
    assert answer.headers["content-type"] == media_type
    if media_type.startswith("text/"):
        assert answer.text
        return answer.text
    resolver(content["schema"]).validate(answer.json())
    if found := examples_in(content):
        assert_like(found[pick], answer.json(), f"{method} {path}", exactly=exactly)
    return answer.json()


@pytest.fixture(scope="module")
def admin(laurel: LaurelProcess) -> Iterator[Caller]:
    user_id, token = laurel.mint_admin("docs-admin")
    with Caller(laurel.urls[0], token, user_id) as found:
        yield found


def test_the_examples_of_a_player_are_true(laurel: LaurelProcess):
    name = f"d{uuid4().hex[:12]}"
    sent(laurel, "post", "/api/v1/auth/register", username=name)
    session = sent(laurel, "post", "/api/v1/auth/login", username=name)
    with Caller(laurel.urls[0], session["accessToken"], session["user"]["userId"]) as ann:
        issued = sent(laurel, "post", "/api/v1/tickets", ann)
        sent(laurel, "post", "/api/v1/tickets/redeem", ann, ticket=issued["ticket"])
        place = {"boardId": "global", "userId": ann.user_id}
        until(lambda: ann.http.get(f"/api/v1/boards/global/users/{ann.user_id}").status_code == 200, 10)
        sent(laurel, "get", "/api/v1/boards/{boardId}/users/{userId}", **place)
        sent(laurel, "get", "/api/v1/boards/{boardId}/top", boardId="global")
        sent(laurel, "get", "/api/v1/me", ann)
        sent(laurel, "patch", "/api/v1/me", ann)
        receipt = sent(laurel, "get", "/api/v1/tickets/{ticketId}/receipt", ann, ticketId=issued["ticketId"])
        assert jwt.decode(receipt["receipt"], options={"verify_signature": False})["ticketId"] == issued["ticketId"]
        sent(laurel, "get", "/api/v1/me/history", ann)
        sent(laurel, "post", "/api/v1/boards/{boardId}/subset", boardId="global", userIds=[ann.user_id])
        asked = sent(laurel, "get", "/api/v1/challenges", ann)["parameters"]["data"]
        assert asked == {"actionId": "vault", "userId": ann.user_id}


def test_the_examples_of_servers_and_administrators_are_true(laurel: LaurelProcess, admin: Caller):
    keys, one = "/api/v1/admin/api-keys", "/api/v1/admin/api-keys/{keyId}"
    made = sent(laurel, "post", keys, admin)
    with player(laurel) as ann:
        headers = {"X-API-Key": made["apiKey"], "Idempotency-Key": uuid4().hex}
        sent(laurel, "post", "/api/v1/awards", userId=ann.user_id, headers=headers)
    sent(laurel, "get", keys, admin)
    for method in ("get", "patch", "delete"):
        sent(laurel, method, one, admin, keyId=made["keyId"])


def test_the_examples_of_sessions_and_farewells_are_true(laurel: LaurelProcess):
    name = f"d{uuid4().hex[:12]}"
    first = sent(laurel, "post", "/api/v1/auth/register", username=name)
    session = sent(laurel, "post", "/api/v1/auth/refresh", refreshToken=first["refreshToken"])
    with Caller(laurel.urls[0], session["accessToken"]) as ann:
        sent(laurel, "post", "/api/v1/auth/logout", ann)
    session = sent(laurel, "post", "/api/v1/auth/login", username=name)
    with Caller(laurel.urls[0], session["accessToken"]) as ann:
        sent(laurel, "delete", "/api/v1/me", ann)


def test_the_examples_of_people_together_are_true(laurel: LaurelProcess, admin: Caller):
    group = f"g-{uuid4().hex[:8]}"
    sent(laurel, "post", "/api/v1/admin/groups", admin, groupId=group)
    with player(laurel) as ann, player(laurel) as ben:
        ann.issue("sprint", hold=True)
        ann.redeem(ann.issue("sprint")["ticket"])
        sent(laurel, "put", "/api/v1/me/friends/{userId}", ann, userId=ben.user_id)
        sent(laurel, "get", "/api/v1/me/friends", ann)
        until(lambda: ann.http.get(f"/api/v1/boards/global/users/{ann.user_id}").status_code == 200, 10)
        sent(laurel, "get", "/api/v1/boards/{boardId}/friends", ann, boardId="global")
        # It holds an entry alone, as the example does: of others `meta` and `groups` are told otherwise.
        sent(laurel, "get", "/api/v1/me/export", ann)
        sent(laurel, "delete", "/api/v1/me/friends/{userId}", ann, userId=ben.user_id)
        sent(laurel, "get", "/api/v1/groups", ann)
        for method in ("put", "delete"):
            sent(laurel, method, "/api/v1/groups/{groupId}/members/me", ann, groupId=group)
    sent(laurel, "get", "/api/v1/admin/groups", admin)
    for method in ("get", "put", "patch", "delete"):
        sent(laurel, method, "/api/v1/admin/groups/{groupId}", admin, groupId=group)


def test_the_examples_of_scores_and_bans_are_true(laurel: LaurelProcess, admin: Caller):
    users = "/api/v1/admin/users/{userId}"
    with player(laurel) as ann:
        deed = sent(laurel, "post", f"{users}/score", admin, userId=ann.user_id)
        sent(laurel, "get", f"{users}/score", admin, userId=ann.user_id)
        sent(laurel, "put", f"{users}/score", admin, exactly=False, userId=ann.user_id, score=41)
        for method in ("patch", "delete"):
            sent(laurel, method, f"{users}/score", admin, exactly=False, userId=ann.user_id)
        sent(laurel, "post", "/api/v1/admin/entries/{entryId}/void", admin, exactly=False, entryId=deed["entryId"])
    with player(laurel) as ann:
        ann.redeem(ann.issue("sprint")["ticket"])
        sent(laurel, "get", users, admin, userId=ann.user_id)
        sent(laurel, "get", "/api/v1/admin/users", admin)
        sent(laurel, "put", f"{users}/ban", admin, userId=ann.user_id)
        sent(laurel, "delete", f"{users}/ban", admin, userId=ann.user_id)


def test_the_examples_of_the_ledger_are_true(laurel: LaurelProcess, admin: Caller):
    with player(laurel) as ann:
        ann.redeem(ann.issue("sprint")["ticket"])
        sent(laurel, "get", "/api/v1/admin/ledger", admin, query={"userId": ann.user_id})


def test_the_examples_of_the_catalogue_are_true(laurel: LaurelProcess, admin: Caller):
    action = f"a-{uuid4().hex[:8]}"
    path = "/api/v1/admin/actions/{actionId}"
    sent(laurel, "post", "/api/v1/admin/actions", admin, actionId=action)
    sent(laurel, "get", "/api/v1/admin/actions", admin)
    for method in ("get", "put", "patch", "delete"):
        sent(laurel, method, path, admin, actionId=action)


def test_the_examples_of_boards_are_true(laurel: LaurelProcess, admin: Caller):
    board = f"b-{uuid4().hex[:8]}"
    path = "/api/v1/admin/boards/{boardId}"
    sent(laurel, "post", "/api/v1/admin/boards", admin, boardId=board)
    sent(laurel, "get", "/api/v1/admin/boards", admin, exactly=False)
    for method in ("get", "put"):
        sent(laurel, method, path, admin, boardId=board)
    sent(laurel, "get", "/api/v1/boards/{boardId}/periods", exactly=False, boardId=board)
    for method in ("put", "delete"):
        sent(laurel, method, f"{path}/freeze", admin, boardId=board)
    with player(laurel) as ann:
        ann.redeem(ann.issue("sprint")["ticket"])
        until(lambda: ann.http.get(f"/api/v1/boards/global/users/{ann.user_id}").status_code == 200, 10)
        around = "/api/v1/boards/{boardId}/around/{userId}"
        sent(laurel, "get", around, boardId="global", userId=ann.user_id)
    sent(laurel, "delete", path, admin, boardId=board)


@pytest.mark.parametrize(
    ("method", "path", "pick"),
    [
        ("post", "/api/action/do", 0),
        ("post", "/api/scores/update", 0),
        ("post", "/api/scores/update", 1),
        ("post", "/api/v1/score/update", 0),
        ("patch", "/api/score/update", 0),
    ],
)
def test_the_examples_of_the_dialects_are_true(laurel: LaurelProcess, method: str, path: str, pick: int):
    with player(laurel) as ann:
        own = {"actionId": ann.issue("sprint")["ticket"]}
        if pick:
            own |= {"authToken": ann.token, "userId": ann.user_id}
        if path == "/api/v1/score/update":
            own["timestamp"] = int(time.time())
        sent(laurel, method, path, None if pick else ann, pick=pick, **own)
        until(lambda: ann.http.get(f"/api/v1/boards/global/users/{ann.user_id}").status_code == 200, 10)
        for read in ("/api/score/top", "/api/leaderboard", "/api/v1/leaderboard", "/api/scores/top"):
            sent(laurel, "get", read, ann)


@pytest.mark.parametrize(
    "path",
    [
        *("/api/v1/actions", "/api/v1/boards", "/healthz", "/readyz", "/metrics"),
        "/.well-known/laurel-receipt-keys.json",
    ],
)
def test_the_examples_for_everybody_are_true(laurel: LaurelProcess, path: str):
    sent(laurel, "get", path)
