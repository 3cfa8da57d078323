"""A client of a running Laurel, for tests that care about every byte."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Self
from uuid import uuid4

import altcha
import asyncpg
import httpx
import jwt

from server.keys import JwtKey, parse_jwt_keys
from server.verifying import signing
from tests.laurel_process import LaurelProcess

PROBLEM = "application/problem+json"


def signing_key(laurel: LaurelProcess) -> JwtKey:
    """The key that a running Laurel signs access tokens with."""
    lines = (laurel.data / "secrets.env").read_text().splitlines()
    (value,) = [line.partition("=")[2] for line in lines if line.startswith("LAUREL_JWT_KEYS=")]
    return parse_jwt_keys(value)[-1]


def claims_of(user_id: str, **changed: Any) -> dict[str, Any]:
    """What Laurel puts into a token; a changed value of None leaves the claim out."""
    now = int(time.time())
    claims = {"iss": "laurel", "aud": "laurel", "sub": user_id, "iat": now, "exp": now + 600, "jti": str(uuid4())}
    return {name: value for name, value in (claims | changed).items() if value is not None}


def minted(key: JwtKey, user_id: str, headers: Mapping[str, Any] | None = None, **changed: Any) -> str:
    """A token signed with the right key, right but for what is changed."""
    shown = {"kid": key.kid, "typ": "at+jwt"} | dict(headers or {})
    return jwt.encode(claims_of(user_id, **changed), signing(key), algorithm=key.algorithm, headers=shown)


def segment(value: object) -> str:
    """A part of a token made by hand."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def solved(challenge: dict[str, Any]) -> str:
    """A challenge's solution, as the widget sends it."""
    asked = altcha.Challenge.from_dict(challenge)
    solution = altcha.solve_challenge(asked)
    assert solution is not None
    return altcha.Payload(asked, solution).to_base64()


async def fetch(database_url: str, statement: str, *values: object) -> list[dict[str, Any]]:
    """Rows straight from the database."""
    connection = await asyncpg.connect(database_url)
    try:
        return [dict(row) for row in await connection.fetch(statement, *values)]
    finally:
        await connection.close()


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """That an answer is a complete problem document; returns it."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["type"] == f"urn:laurel:problem:{code}"
    assert isinstance(body["title"], str)
    assert body["title"]
    assert isinstance(body["detail"], str)
    assert body["detail"]
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert ("retry-after" in answer.headers) == (status in (429, 503))
    return body


class Caller:
    """One player at one pod."""

    def __init__(self, url: str, token: str | None = None, user_id: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url
        self.token = token
        self.user_id = user_id
        self.http = httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    def at(self, url: str) -> "Caller":
        """The same player at another pod."""
        return Caller(url, self.token, self.user_id)

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        return self.http.post(
            path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def issue(self, action: str, **more: object) -> dict[str, Any]:
        answer = self.post("/api/v1/tickets", {"actionId": action, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def redeem(self, ticket: str) -> httpx.Response:
        return self.post("/api/v1/tickets/redeem", {"ticket": ticket})


def player(laurel: LaurelProcess, make: Callable[..., Caller] = Caller, pod: int = 0) -> Caller:
    """A new player with an account, registered over HTTP."""
    name = f"p{uuid4().hex[:20]}"
    with Caller(laurel.urls[pod]) as nobody:
        answer = nobody.post("/api/v1/auth/register", {"username": name, "password": "correct horse"})
    assert answer.status_code == 201, answer.text
    session = answer.json()
    return make(laurel.urls[pod], session["accessToken"], session["user"]["userId"])
