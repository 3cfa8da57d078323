"""Every route of administration that the app has is shut to everybody but administrators."""

import time
from collections.abc import Iterator

import httpx
import jwt
import pytest
from sanic import Sanic

from server.app import make_app
from server.keys import generate_jwt_key
from server.settings import Settings
from tests.caller import Caller, assert_problem, claims_of, minted, player, signing_key
from tests.laurel_process import LaurelProcess

PREFIX = "/api/v1/admin/"


def found() -> list[tuple[str, str]]:
    """Method and path of every route of administration, as the app itself has them."""
    app = make_app(Settings.from_mapping({}))
    try:
        return sorted(
            (method, "/" + route.path)
            for route in app.router.routes
            for method in route.methods
            if f"/{route.path}".startswith(PREFIX)
        )
    finally:
        Sanic.unregister_app(app)


ROUTES = found()


@pytest.fixture(scope="module")
def somebody(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel) as made:
        yield made


def address(path: str, user_id: str) -> str:
    """The path with something real in place of its parameters."""
    head, *rest = path.split("<")
    return head + "".join(f"{user_id}{part.partition('>')[2]}" for part in rest)


def test_the_routes_of_the_contract_are_there():
    users = "/api/v1/admin/users/<user_id:str>"
    expected = {
        *(("GET", f"{PREFIX}{name}") for name in ("users", "ledger", "actions", "groups")),
        *(("POST", f"{PREFIX}{name}") for name in ("actions", "groups")),
        *((method, f"{users}/ban") for method in ("PUT", "DELETE")),
        *((method, f"{users}/score") for method in ("POST", "GET", "PUT", "PATCH", "DELETE")),
        ("POST", f"{PREFIX}entries/<entry_id:str>/void"),
    }
    assert expected <= set(ROUTES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_but_an_administrator_comes_in(laurel: LaurelProcess, somebody: Caller, method: str, path: str):
    """Not even far enough to learn whether a body is right or a thing exists."""
    key, other = signing_key(laurel), generate_jwt_key()
    mine, user_id = somebody.token, somebody.user_id
    foreign = jwt.encode(
        claims_of(user_id, role="admin"), other.key, algorithm="HS256", headers={"kid": key.kid, "typ": "at+jwt"}
    )
    doors = [
        (None, 401, "token_missing"),
        (mine, 403, "forbidden"),
        (minted(key, user_id, role="Admin"), 403, "forbidden"),
        (minted(key, user_id, role=["admin"]), 403, "forbidden"),
        (minted(key, user_id, role="admin", exp=int(time.time()) - 1), 401, "token_expired"),
        (minted(key, user_id, role="admin", iss="other"), 401, "token_invalid"),
        (minted(key, user_id, role="admin", aud="other"), 401, "token_invalid"),
        (minted(key, user_id, {"kid": "other"}, role="admin"), 401, "token_invalid"),
        (minted(key, user_id, {"typ": "JWT"}, role="admin"), 401, "token_invalid"),
        (foreign, 401, "token_invalid"),
    ]
    with httpx.Client(base_url=laurel.urls[1], trust_env=False) as client:
        for token, status, code in doors:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            for target in (user_id, "x"):
                answer = client.request(method, address(path, target), headers=headers)
                if method == "HEAD":
                    assert answer.status_code == status
                else:
                    assert_problem(answer, status, code)
