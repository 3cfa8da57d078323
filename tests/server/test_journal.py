"""What stands in a pod's log, and what never does; and that it serves before its database does."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from models.migrate import migrate
from server.embedded.servers import EmbeddedServers
from tests.caller import Caller
from tests.laurel_process import until
from tests.pods import migrated, simple_catalogue
from tests.served import ServedPod, secrets


@pytest.fixture(scope="module")
def environ(embedded: EmbeddedServers, database_url: str) -> dict[str, str]:
    return secrets() | {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_REDIS_URL": embedded.redis.url,
        "LAUREL_ACCESS_LOG_EVERY": "1",
        "LAUREL_SLOW_STATEMENT_MS": "1",
        "LAUREL_LOAD_TEST": "true",
    }


@pytest.fixture
async def catalogue(database_url: str) -> None:
    await migrate(database_url)
    await (await migrated(database_url, simple_catalogue({"sprint": 3}))).close()


@pytest.fixture
def pod(environ: dict[str, str], catalogue: None, tmp_path: Path) -> Iterator[ServedPod]:
    with ServedPod(tmp_path, environ) as found:
        yield found.await_ready()


def lines(pod: ServedPod) -> list[dict[str, Any]]:
    return [json.loads(line) for line in pod.log.read_text().splitlines()]


def test_lines_name_request_player_ticket_and_pod_but_hold_no_secret(pod: ServedPod) -> None:
    with Caller(pod.url) as nobody:
        session = nobody.post(
            "/api/v1/auth/register", {"username": f"p{uuid4().hex[:20]}", "password": "correct horse"}
        ).json()
    with Caller(pod.url, session["accessToken"]) as caller:
        issued = caller.issue("sprint")
        answer = caller.post("/api/v1/tickets/redeem", {"ticket": issued["ticket"]}, X_Request_Id="from-the-game")
        assert answer.status_code == 200
        forged = caller.post("/api/v1/tickets/redeem", {"ticket": issued["ticket"] + "x"})
        assert forged.status_code == 403
    redeemed = until(lambda: [one for one in lines(pod) if one.get("request") == "from-the-game"])[0]
    assert (
        redeemed
        | {
            "event": "request",
            "level": "info",
            "method": "POST",
            "path": "/api/v1/tickets/redeem",
            "status": 200,
            "user": session["user"]["userId"],
            "ticket": issued["ticketId"],
        }
        == redeemed
    )
    assert redeemed["pod"].endswith(f":{pod.port}")
    refused = until(lambda: [one for one in lines(pod) if one.get("status") == 403])[0]
    assert refused["request"] == forged.headers["x-request-id"]
    assert "ticket" not in refused
    assert [one for one in lines(pod) if one["event"] == "slow statement" and "FROM" in one["statement"].upper()]
    written = pod.log.read_text()
    for secret in (issued["ticket"], session["accessToken"], session.get("refreshToken"), "correct horse"):
        assert not secret or secret not in written


def test_a_pod_serves_while_its_database_answers_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = f"postgresql://laurel:x@127.0.0.1:{silent.getsockname()[1]}/laurel"
        with ServedPod(tmp_path, environ | {"LAUREL_DATABASE_URL": away, "LAUREL_GRACE_SECONDS": "2"}) as pod:
            until(lambda: alive(pod), 10)
            ready = httpx.get(f"{pod.url}/readyz", trust_env=False)
            assert ready.status_code == 503
            assert ready.json()["missing"] == ["catalogue", "revocations"]
            until(lambda: "database" in httpx.get(f"{pod.url}/readyz", trust_env=False).json()["degraded"])
            page = httpx.get(f"{pod.url}/metrics", trust_env=False)
            assert 'laurel_degraded{dependency="postgresql"} 1.0' in page.text
            assert "laurel_ready 0.0" in page.text
            assert pod.stop() == 0


def alive(pod: ServedPod) -> bool:
    try:
        return httpx.get(f"{pod.url}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
