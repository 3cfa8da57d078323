"""A run against a pod that lies: each lie is found."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from loadtests.load import verdict
from loadtests.load.evidence import Addresses
from loadtests.load.judge import settled
from loadtests.load.measured import Budgets, Measured
from loadtests.load.told import Told
from tests.laurel_process import LaurelProcess, run_module

TRUTH_ALONE = """
failures_percent = 100
lag = {p95_ms = 60000, p99_ms = 60000}
[[budget]]
name = "redeem"
failures_percent = 0
[[budget]]
name = "tried again: 500"
most = 0
"""
KINDS = (
    {"user_class_name": "Player", "fixed_count": 12},
    {"user_class_name": "Administrator", "fixed_count": 4, "tasks": ["move"]},
)
PASSED_ON = ("Authorization", "Content-Type", "Idempotency-Key")
FOUND = (
    r"lost: \S+ was the answer to 2 different things",
    r"doubled: \S+ is worth \+\d+, and counted \+",
    r"budget: redeem( instant| again)?: 1 of \d+ failed",
    r"POST redeem.*: 409 cooldown \(1 times\)",
    r"budget: tried again: 500: 1 counted",
    r"doubled: \S+ has \+1 by adjust \S+, asked by nobody",
    r"lost: \S+ was told \+1 for made-up: no entry",
)


class Liar:
    """Passes requests on to a pod, and tells each of its lies once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._asked: Counter[str] = Counter()
        self._told: dict[str, tuple[bytes, int, Any]] = {}
        self._mixed_up = False

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        async with aiohttp.ClientSession() as self._http:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        what = request.path.rpartition("/")[2]
        self._asked[what] += 1
        player, sent = request.headers.get("Authorization", ""), await request.read()
        former, *told = self._told.get(player, (sent, 0, None))
        match what, self._asked[what]:
            case "redeem", number if number > 10 and former != sent and not self._mixed_up:
                self._mixed_up, (status, body) = True, told
            case "redeem", 3:
                status, body = 409, {"code": "cooldown", "waitMs": 1000}
            case "redeem", 5:
                status, body = await self._passed_on(request)
                body["change"] += 5
            case "tickets", 7:
                status, body = 500, {"code": "internal_error"}
            case "score", 1:
                await self._passed_on(request)
                status, body = await self._passed_on(request, {"Idempotency-Key": uuid4().hex})
            case "score", 2:
                body = {"entryId": "made-up", "change": 1, "newScore": 1, "userVersion": 1, "replayed": False}
                status = 200
            case _:
                status, body = await self._passed_on(request)
        if what == "redeem" and status == 200:
            self._told[player] = sent, status, body
        return web.json_response(body, status=status)

    async def _passed_on(self, request: web.Request, changed: dict[str, str] | None = None) -> tuple[int, Any]:
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers} | (changed or {})
        url, body = self._url + request.path_qs, await request.read()
        async with self._http.request(request.method, url, data=body, headers=headers) as response:
            return response.status, await response.json()


async def test_every_lie_is_found(
    tmp_path: Path, laurel_factory: Callable[[], LaurelProcess], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(verdict, "MOST_SHOWN", 100)
    laurel = laurel_factory().start()
    budgets, admins = tmp_path / "budgets.toml", tmp_path / "admins"
    budgets.write_text(TRUTH_ALONE)
    admins.write_text("\n".join("\t".join(laurel.mint_admin(f"admin-{number}")) for number in range(4)))
    options = ["--people", "16", "--spawn-rate", "16", "--seconds", "12", "--config-users", *map(json.dumps, KINDS)]
    options += ["--report", str(tmp_path), "--budgets", str(budgets), "--admin-tokens", str(admins)]
    config = laurel.config()
    async with Liar(laurel.urls[0]).listening() as url:
        done = await asyncio.to_thread(run_module, "loadtests.load", "--url", url, *options)
        assert done.returncode == 1, done.stdout + done.stderr
        told, measured, addresses = Told.read(tmp_path), Measured.read(tmp_path), Addresses(config["databaseUrl"])
        _, found = await settled(told, measured, Budgets.read(budgets), addresses, seconds=0)
    said = [f"{finding.kind}: {finding.text}" for finding in found] + measured.errors
    assert not [lie for lie in FOUND if not any(re.match(lie, sentence) for sentence in said)], said
