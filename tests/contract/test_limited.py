"""Who does too much, or is banned, hears it in each dialect's own words; nothing is counted."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from redis import Redis

from server.keys import parse_jwt_keys
from tests.caller import Caller, minted
from tests.pods import migrated, simple_catalogue
from tests.served import ServedPod, secrets

INSTANT, POINTS, MOST, READS = "tap", 3, 2, 40
REDIS_NUMBER = 12

Body = Callable[[Caller], dict[str, Any]]

CODED, STATUS, PLAIN = {"success", "error", "message"}, {"status", "error"}, {"success", "error"}
WRITES: dict[str, tuple[str, str, Body, set[str], int]] = {
    "a": ("POST", "/api/action/do", lambda one: {}, CODED, 403),
    "b": ("POST", "/api/scores/update", lambda one: {"actionType": INSTANT}, CODED, 403),
    "c": ("POST", "/api/v1/score/update", lambda one: {"timestamp": round(time.time())}, STATUS, 403),
    "d": ("POST", "/api/scores/update", lambda one: {"userId": one.user_id, "authToken": one.token}, PLAIN, 400),
    "e": ("PATCH", "/api/score/update", lambda one: {}, CODED, 403),
}
"""Method, path, what the body has besides the action, names of a refusal, and the status of a banned player's."""


@pytest.fixture(scope="module")
def environ(database_url: str, redis_url: str) -> dict[str, str]:
    url = f"{redis_url.rpartition('/')[0]}/{REDIS_NUMBER}"
    with Redis.from_url(url) as store:
        store.flushdb()
    return secrets() | {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_REDIS_URL": url,
        "LAUREL_RATE_LIMIT_REDEEM": f"{MOST}/hour",
        "LAUREL_RATE_LIMIT_READS": f"{READS}/hour",
    }


@pytest.fixture
async def catalogue(database_url: str) -> None:
    actions = simple_catalogue({INSTANT: POINTS}, ticket="instant")
    await (await migrated(database_url, actions)).close()


@pytest.fixture
def pod(environ: dict[str, str], catalogue: None, tmp_path: Path) -> Iterator[ServedPod]:
    with ServedPod(tmp_path, environ) as found:
        yield found.await_ready()


def registered(pod: ServedPod) -> Caller:
    with Caller(pod.url) as nobody:
        account = {"username": f"p{uuid4().hex[:20]}", "password": "correct horse"}
        session = nobody.post("/api/v1/auth/register", account).json()
    return Caller(pod.url, session["accessToken"], session["user"]["userId"])


def write(one: Caller, name: str) -> httpx.Response:
    method, path, more, _, _ = WRITES[name]
    with Caller(one.url) as bare:  # D has its token in the body alone
        return (bare if name == "d" else one).http.request(method, path, json={"actionId": INSTANT} | more(one))


def assert_limited(answer: httpx.Response, names: set[str]) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/json"), answer.text
    assert set(answer.json()) == names
    assert int(answer.headers["retry-after"]) >= 1
    assert ";r=0;" in answer.headers["ratelimit"]
    assert "www-authenticate" not in answer.headers


def test_limits_and_bans_in_each_dialect(pod: ServedPod, environ: dict[str, str]) -> None:
    with registered(pod) as boss:
        key = parse_jwt_keys(environ["LAUREL_JWT_KEYS"])[-1]
        with Caller(pod.url, minted(key, boss.user_id, role="admin")) as admin:
            for name, (_, _, _, names, status) in WRITES.items():
                with registered(pod) as one, registered(pod) as other:
                    scores = [write(one, name).json() for _ in range(MOST)]
                    values = [body.get("newScore", body.get("updatedScore")) for body in scores]
                    assert values == [POINTS, 2 * POINTS], scores
                    assert_limited(write(one, name), names)
                    shown = admin.http.get(f"/api/v1/admin/users/{one.user_id}/score").json()
                    assert shown["score"] == 2 * POINTS
                    ban = admin.http.put(f"/api/v1/admin/users/{other.user_id}/ban", json={"reason": "x"})
                    assert ban.status_code == 200
                    refused = write(other, name)
                    assert (refused.status_code, set(refused.json())) == (status, names), refused.text
    # Reads are limited by address: whoever asks once too often hears it from each.
    with registered(pod) as one:
        while one.http.get("/api/leaderboard").status_code == 200:
            pass
        for path, names in (
            ("/api/score/top", CODED),
            ("/api/leaderboard", CODED),
            ("/api/v1/leaderboard", STATUS),
            ("/api/scores/top", PLAIN),
        ):
            assert_limited(one.http.get(path), names)
