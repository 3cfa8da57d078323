"""Whatever is sent, the answer is a problem with a code, and nothing happens."""

import asyncio
import base64
import hmac
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import jwt
import pytest

from server.keys import JwtKey
from tests.caller import Caller, assert_problem, claims_of, fetch, minted, player, segment, signing_key
from tests.laurel_process import LaurelProcess

REDEEM = "/api/v1/tickets/redeem"
ISSUE = "/api/v1/tickets"
REGISTER = "/api/v1/auth/register"
LOGIN = "/api/v1/auth/login"
NOBODY = "00000000-0000-4000-8000-000000000000"
"""No player's id, and the same in each worker, where it is part of a test's name."""
BODIED = [REDEEM, ISSUE, REGISTER, LOGIN]


@pytest.fixture(scope="module")
def caller(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel) as found:
        yield found


@pytest.fixture(scope="module")
def key(laurel: LaurelProcess) -> JwtKey:
    return signing_key(laurel)


@pytest.fixture(scope="module", autouse=True)
def nothing_is_written(laurel: LaurelProcess, caller: Caller) -> Iterator[None]:
    """After everything in this file the ledger is as it was."""
    url = laurel.config()["databaseUrl"]
    statement = "SELECT count(*) AS entries, (SELECT count(*) FROM accounts) AS accounts FROM ledger"
    before = asyncio.run(fetch(url, statement))
    yield
    assert asyncio.run(fetch(url, statement)) == before


def bad_tokens(key: JwtKey, user_id: str) -> dict[str, str]:
    """Tokens that must not pass, by what is wrong with them."""
    good = minted(key, user_id)
    head, body, seal = good.split(".")
    named = {"kid": key.kid, "typ": "at+jwt"}
    claims = claims_of(user_id)
    last = seal[:-1] + ("A" if seal[-1] != "A" else "E")
    bad = {
        "empty parts": "..",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.x",
        "not base64": "!!!.???.###",
        "no JSON": f"{segment(0)[:-1]}.{body}.{seal}",
        "header is a list": f"{segment([])}.{body}.{seal}",
        "kid is a list": f"{segment({'alg': 'HS256', 'typ': 'at+jwt', 'kid': []})}.{body}.{seal}",
        "typ is a number": f"{segment({'alg': 'HS256', 'typ': 1, 'kid': key.kid})}.{body}.{seal}",
        "claims are a list": jwt.api_jws.encode(b"[]", key.key, "HS256", headers=named),
        "claims are not JSON": jwt.api_jws.encode(b"\xff", key.key, "HS256", headers=named),
        "deep claims": jwt.api_jws.encode(b"[" * 2500, key.key, "HS256", headers=named),
        "wrong signature": f"{head}.{body}.{last}",
        "no signature": f"{head}.{body}.",
        "other claims": f"{head}.{segment(claims | {'role': 'admin'})}.{seal}",
        "other key": jwt.encode(claims, bytes(32), algorithm="HS256", headers=named),
        "alg none": f"{segment({'alg': 'none', **named})}.{segment(claims)}.",
        "alg None": f"{segment({'alg': 'None', **named})}.{segment(claims)}.{seal}",
        "HS512 with the right key": jwt.encode(claims, key.key * 2, algorithm="HS512", headers=named),
        "RS256": f"{segment({'alg': 'RS256', **named})}.{body}.{seal}",
        "HS256 of what says RS256": _sealed(key, {"alg": "RS256", **named}, claims),
        "ES256": f"{segment({'alg': 'ES256', **named})}.{body}.{'A' * 86}",
        "too long": minted(key, user_id, pad="x" * 4_096),
        "b64 false": f"{segment({'alg': 'HS256', 'b64': False, 'crit': ['b64'], **named})}.{body}.{seal}",
        "lower case scheme is fine, the token is not": "x",
    }
    changed: dict[str, dict[str, Any]] = {
        "audience": {"aud": "other"},
        "audience as a list": {"aud": ["laurel"]},
        "issuer": {"iss": "other"},
        "from the future": {"iat": int(time.time()) + 600},
        "not before": {"nbf": int(time.time()) + 600},
        "subject is no id": {"sub": "root"},
        "subject in capitals": {"sub": user_id.upper()},
        "subject is a number": {"sub": 7},
        "token id is a number": {"jti": 7},
        "expiry is a word": {"exp": "never"},
        "expiry is a list": {"exp": []},
    }
    bad |= {name: minted(key, user_id, **values) for name, values in changed.items()}
    bad |= {f"without {claim}": minted(key, user_id, **{claim: None}) for claim in claims}
    heads: dict[str, dict[str, Any]] = {
        "typ JWT": {"typ": "JWT"},
        "typ missing": {"typ": None},
        "unknown kid": {"kid": "k0"},
        "crit": {"crit": ["exp"]},
    }
    return bad | {name: minted(key, user_id, headers) for name, headers in heads.items()}


def _sealed(key: JwtKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token with the right HMAC, whatever its header says."""
    text = f"{segment(header)}.{segment(claims)}"
    seal = hmac.digest(key.key, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"


def test_a_bad_token_is_refused_everywhere(laurel: LaurelProcess, caller: Caller, key: JwtKey):
    with Caller(laurel.urls[1]) as nobody:
        for what, token in bad_tokens(key, caller.user_id).items():
            for method, path in (("POST", REDEEM), ("POST", ISSUE), ("GET", "/api/v1/me"), ("GET", "/api/v1/boards")):
                answer = nobody.http.request(method, path, headers={"Authorization": f"Bearer {token}"})
                try:
                    assert_problem(answer, 401, "token_invalid")
                except AssertionError as error:
                    raise AssertionError(f"{what} at {path}: {answer.status_code} {answer.text}") from error
                assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_the_right_token_passes(laurel: LaurelProcess, caller: Caller, key: JwtKey):
    with Caller(laurel.urls[1], minted(key, caller.user_id)) as found:
        assert found.http.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Basic eDp5", "Token x", "bearer", "Bearer=x"])
def test_another_scheme_is_an_invalid_token(laurel: LaurelProcess, header: str):
    with Caller(laurel.urls[0]) as nobody:
        assert_problem(nobody.http.get("/api/v1/me", headers={"Authorization": header}), 401, "token_invalid")


def test_an_expired_token_says_so(laurel: LaurelProcess, caller: Caller, key: JwtKey):
    now = int(time.time())
    token = minted(key, caller.user_id, iat=now - 100, exp=now - 1)
    with Caller(laurel.urls[0], token) as late:
        assert_problem(late.post(REDEEM, {"ticket": "x"}), 401, "token_expired")
        assert_problem(late.http.get("/api/v1/boards"), 401, "token_expired")


@pytest.mark.parametrize(("method", "path"), [("POST", REDEEM), ("POST", ISSUE), ("GET", "/api/v1/me")])
def test_no_token_is_said_without_an_error_code(laurel: LaurelProcess, method: str, path: str):
    with Caller(laurel.urls[0]) as nobody:
        answer = nobody.http.request(method, path)
        assert_problem(answer, 401, "token_missing")
        assert "error=" not in answer.headers["www-authenticate"]


def test_a_player_that_does_not_exist_is_an_invalid_token(laurel: LaurelProcess, key: JwtKey, caller: Caller):
    stranger = minted(key, str(uuid4()))
    with Caller(laurel.urls[0], stranger) as found:
        assert_problem(found.http.get("/api/v1/me"), 401, "token_invalid")
        ticket = found.issue("sprint")["ticket"]
        assert_problem(found.redeem(ticket), 401, "token_invalid")
        held = found.post(ISSUE, {"actionId": "sprint", "hold": True})
        assert_problem(held, 401, "token_invalid")


BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b" ",
    "not JSON": b"ticket=x",
    "half": b'{"ticket": "x"',
    "trailing": b'{"ticket": "x"} x',
    "two": b'{"ticket": "x"}{"ticket": "x"}',
    "a list": b"[]",
    "a word": b'"ticket"',
    "null": b"null",
    "nothing": b"{}",
    "wrong type": b'{"ticket": 1, "actionId": 1, "username": 1, "password": 1}',
    "nulls": b'{"ticket": null, "actionId": null, "username": null, "password": null}',
    "a list inside": b'{"ticket": ["x"], "actionId": ["x"]}',
    "unknown field": b'{"ticket": "x", "points": 1000000}',
    "unknown only": b'{"__proto__": {}}',
    "NaN": b'{"ticket": NaN}',
    "Infinity": b'{"ticket": -Infinity}',
    "1e400": b'{"ticket": 1e400}',
    "-1e400": b'{"actionId": -1e400}',
    "endless digits": b'{"ticket": ' + b"9" * 15_000 + b"}",
    "deep and mixed": b'{"ticket": ' + b'[{"a": ' * 1_500 + b"NaN" + b"}]" * 1_500 + b"}",
    "names without end": b"{" + b",".join(b'"%d": 0' % n for n in range(1_500)) + b"}",
    "NUL raw": b'{"ticket": "a\x00", "actionId": "a\x00"}',
    "lone surrogate": b'{"ticket": "\\ud800", "actionId": "\\ud800"}',
    "lone low surrogate": b'{"ticket": "\\udc00x", "username": "\\udc00x"}',
    "raw surrogate": b'{"ticket": "\xed\xa0\x80"}',
    "not UTF-8": b'{"ticket": "\xff\xfe"}',
    "UTF-16": '{"ticket": "x"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"ticket": "x"}',
    "deep": b"[" * 8_000,
    "deep inside": b'{"ticket": ' + b'{"a": ' * 2_000 + b"1" + b"}" * 2_001,
    "comment": b'{"ticket": "x" /* */}',
    "single quotes": b"{'ticket': 'x'}",
    "same key twice": b'{"ticket": "x", "ticket": "x"}',
    "same name twice": b'{"actionId": "sprint", "actionId": "sprint"}',
}


@pytest.mark.parametrize("path", BODIED)
@pytest.mark.parametrize("what", BODIES)
def test_a_bad_body_is_refused(caller: Caller, path: str, what: str):
    answer = caller.http.post(path, content=BODIES[what], headers={"Content-Type": "application/json"})
    assert_problem(answer, 400, "invalid_request")


FIELDS: list[tuple[str, dict[str, Any]]] = [
    (REDEEM, {"ticket": "x", "ticketId": str(uuid4())}),
    (REDEEM, {"ticket": "x", "actionId": "sprint"}),
    (REDEEM, {"ticket": "x" * 4_097}),
    (REDEEM, {"ticket": "a\x00b"}),
    (REDEEM, {"ticketId": "x"}),
    (REDEEM, {"ticketId": str(uuid4())[:-1]}),
    (REDEEM, {"ticketId": f"{uuid4()}\n"}),
    (REDEEM, {"ticketId": uuid4().hex}),
    (REDEEM, {"ticketId": f"{{{uuid4()}}}"}),
    (REDEEM, {"actionId": "Sprint"}),
    (REDEEM, {"actionId": "sprint\n"}),
    (REDEEM, {"actionId": "sp/rint"}),
    (REDEEM, {"actionId": ""}),
    (REDEEM, {"actionId": "x" * 65}),
    (ISSUE, {"actionId": "../etc"}),
    (ISSUE, {"actionId": "sprint", "hold": "yes"}),
    (ISSUE, {"actionId": "sprint", "hold": 1}),
    (ISSUE, {"actionId": "sprint", "build": "x" * 65}),
    (ISSUE, {"actionId": "sprint", "build": "a\x00"}),
    (ISSUE, {"actionId": "sprint", "build": 1}),
    (ISSUE, {"actionId": "sprint", "proof": "x" * 4_097}),
    (ISSUE, {"actionId": "sprint", "userId": str(uuid4())}),
    (REGISTER, {"username": "", "password": "correct horse"}),
    (REGISTER, {"username": "x" * 65, "password": "correct horse"}),
    (REGISTER, {"username": "sp ace", "password": "correct horse"}),
    (REGISTER, {"username": "näme", "password": "correct horse"}),
    (REGISTER, {"username": "name\n", "password": "correct horse"}),
    (REGISTER, {"username": "a-name", "password": "short"}),
    (REGISTER, {"username": "a-name", "password": "x" * 201}),
    (REGISTER, {"username": "a-name", "password": "null\x00null"}),
    (REGISTER, {"username": "a-name", "password": "correct horse", "displayName": ""}),
    (REGISTER, {"username": "a-name", "password": "correct horse", "displayName": "a\nb"}),
    (REGISTER, {"username": "a-name", "password": "correct horse", "avatarUrl": "http://a.example/x.png"}),
    (REGISTER, {"username": "a-name", "password": "correct horse", "avatarUrl": "javascript:alert(1)"}),
    (REGISTER, {"username": "a-name", "password": "correct horse", "avatarUrl": 'https://a.example/"onload="x'}),
    (REGISTER, {"username": "a-name", "password": "correct horse", "region": "North"}),
    (REGISTER, {"username": "a-name", "password": "correct horse", "role": "admin"}),
    (LOGIN, {"username": "a-name"}),
    (LOGIN, {"username": "a-name", "password": "correct horse", "role": "admin"}),
    (LOGIN, {"username": {"$ne": None}, "password": {"$ne": None}}),
    (LOGIN, {"username": "a\x00", "password": "correct horse"}),
    (LOGIN, {"username": "x" * 201, "password": "correct horse"}),
]


@pytest.mark.parametrize(("path", "body"), FIELDS, ids=lambda value: None)
def test_a_field_out_of_bounds_is_refused(caller: Caller, path: str, body: dict[str, Any]):
    assert_problem(caller.post(path, body), 400, "invalid_request")


@pytest.mark.parametrize("path", BODIED)
@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"],
)
def test_another_content_type_is_refused(caller: Caller, path: str, media_type: str):
    answer = caller.http.post(path, content=b'{"ticket": "x"}', headers={"Content-Type": media_type})
    assert_problem(answer, 415, "not_json")


def test_a_media_type_may_have_parameters(caller: Caller):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert_problem(caller.http.post(REDEEM, content=b'{"ticket": "x"}', headers=headers), 403, "ticket_forged")


@pytest.mark.parametrize("path", BODIED)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused(caller: Caller, path: str, chunked: bool):
    body = b'{"ticket": "' + b"x" * 17_000 + b'"}'
    content = iter([body[:9_000], body[9_000:]]) if chunked else body
    answer = caller.http.post(path, content=content, headers={"Content-Type": "application/json"})
    assert_problem(answer, 413, "too_large")


TICKETS = ["x", "", ".", "a.b", "é" * 60, "\U0001f3c1", "x" * 513, "x" * 4_096, "null", "٠" * 60, "A.A" + "A" * 42]


@pytest.mark.parametrize("ticket", TICKETS)
def test_a_text_that_is_no_ticket_is_forged(caller: Caller, ticket: str):
    assert_problem(caller.redeem(ticket), 403, "ticket_forged")


def test_an_access_token_is_no_ticket(caller: Caller):
    assert_problem(caller.redeem(caller.token), 403, "ticket_forged")


def test_an_altered_ticket_is_forged(caller: Caller):
    ticket = caller.issue("sprint")["ticket"]
    for position in range(0, len(ticket), 7):
        other = "A" if ticket[position] != "A" else "B"
        assert_problem(caller.redeem(ticket[:position] + other + ticket[position + 1 :]), 403, "ticket_forged")
    assert_problem(caller.redeem(ticket + "!!!!"), 403, "ticket_forged")


@pytest.mark.parametrize("path", [ISSUE, REDEEM])
def test_an_unknown_action_is_404(caller: Caller, path: str):
    body = assert_problem(caller.post(path, {"actionId": "no-such-action"}), 404, "action_unknown")
    assert body["actionId"] == "no-such-action"


def test_an_unknown_ticket_id_is_404(caller: Caller):
    assert_problem(caller.post(REDEEM, {"ticketId": str(uuid4())}), 404, "not_found")


@pytest.mark.parametrize("name", ["", "x" * 201, "tab\there", "\x7f"])
def test_a_bad_idempotency_key_is_refused(caller: Caller, name: str):
    answer = caller.post(REDEEM, {"actionId": "cheer"}, Idempotency_Key=name)
    assert_problem(answer, 400, "invalid_request")


QUERIES = [
    "limit=",
    "limit=0",
    "limit=101",
    "limit=-1",
    "limit=1.5",
    "limit=ten",
    "limit=%D9%A1",
    "limit=1e1",
    "limit=+5",
    "limit=99999999999999999999",
    "limit=%00",
    "cursor=x",
    "cursor=!!!",
    "cursor=%FF",
    "cursor=%ED%A0%80",
    "cursor=W10",
    "cursor=" + "A" * 3_000,
    "cursor=WyJ4IiwxLDFd",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_bad_query_is_refused(caller: Caller, query: str):
    assert_problem(caller.http.get(f"/api/v1/boards/global/top?{query}"), 400, "invalid_request")


@pytest.mark.parametrize(
    "values", [[1, 0, 1], ["x", 0, 1], [None, 0, 1], ["U", 2**53, 1], ["U", 0, -1], ["U", 0, 10**13]]
)
def test_a_forged_cursor_is_refused(caller: Caller, values: list[Any]):
    row = [str(uuid4()) if value == "U" else value for value in values]
    answer = caller.http.get(f"/api/v1/boards/global/top?cursor={segment(row)}")
    assert_problem(answer, 400, "invalid_request")


PATHS = [
    "/api/v1/boards/none/top",
    "/api/v1/boards/Global/top",
    "/api/v1/boards/%00/top",
    "/api/v1/boards/%ED%A0%80/top",
    "/api/v1/boards/..%2Fglobal/top",
    "/api/v1/boards/" + "x" * 2_000 + "/top",
    "/api/v1/boards/global/top?period=2019-W01",
    "/api/v1/boards/global/top?period=%00",
    "/api/v1/boards/global/top?period=%ED%A0%80",
    "/api/v1/boards/weekly/top?period=all",
    "/api/v1/boards/weekly/top?period=2026-W99",
    "/api/v1/boards/weekly/top?period=" + "9" * 3_000,
    "/api/v1/boards/global/users/x",
    "/api/v1/boards/global/users/%00",
    "/api/v1/boards/global/users/%FF",
    "/api/v1/boards/global/users/" + "1" * 36,
    f"/api/v1/boards/global/users/{NOBODY}",
    f"/api/v1/boards/none/users/{NOBODY}",
    "/api/v1/nothing",
    "/api/v2/boards",
    "/%00",
    "/%ff%fe",
]


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_or_malformed_id_is_404(caller: Caller, path: str):
    assert_problem(caller.http.get(path), 404, "not_found")


@pytest.mark.parametrize(("method", "path"), [("GET", REDEEM), ("PUT", ISSUE), ("POST", "/api/v1/boards")])
def test_another_method_is_405(caller: Caller, method: str, path: str):
    answer = caller.http.request(method, path)
    assert_problem(answer, 405, "invalid_request")
    assert answer.headers["allow"]


def test_the_same_content_is_not_sent_again(caller: Caller):
    first = caller.http.get("/api/v1/boards/global/top")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    for known in (tag, f'"other", W/{tag}', "*"):
        again = caller.http.get("/api/v1/boards/global/top", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = caller.http.get("/api/v1/boards/global/top", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def raw(laurel: LaurelProcess, *pieces: bytes) -> int:
    """The status of an answer to bytes as they are; 0 when the connection was closed instead."""
    address = urlsplit(laurel.urls[0])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    connection.connect()
    try:
        connection.sock.sendall(b"".join(pieces))
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
    except (http.client.BadStatusLine, ConnectionError):
        return 0
    else:
        return answer.status
    finally:
        connection.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://[x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/v1/boards HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
        b"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n" + b"x" * 20_000,
        b"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"GET /api/v1/boards HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
    ],
)
def test_broken_http_is_never_a_fault_of_ours(laurel: LaurelProcess, request_bytes: bytes):
    assert raw(laurel, request_bytes) in (0, 400, 401, 404, 411, 413, 414, 431, 505)


@pytest.mark.parametrize("target", [b"a:80", b"x", b"//[x", b"http://a:b/", b"?x=1", b"http://[x", b"\\x"])
def test_what_is_no_address_is_answered(laurel: LaurelProcess, target: bytes):
    for method in (b"GET", b"CONNECT"):
        assert raw(laurel, method, b" ", target, b" HTTP/1.1\r\nHost: x\r\n\r\n") in (400, 404, 405)


def test_pods_are_well_after_all_this(laurel: LaurelProcess):
    for url in laurel.urls:
        answer = httpx.get(f"{url}/readyz", trust_env=False)
        assert answer.json()["ready"] is True, answer.text
    logs = "".join(path.read_text() for path in laurel.data.glob("log/*.log"))
    assert [line for line in logs.splitlines() if "unexpected error" in line or "uncaught" in line] == []
    assert "user actor dropped" not in logs
    assert json.loads(httpx.get(f"{laurel.urls[0]}/healthz", trust_env=False).text) == {"status": "ok"}
