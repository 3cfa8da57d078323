"""What a pod lacks to be ready."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actors import supervisor as supervising
from server.routes.probes import readyz
from server.runtime import Runtime
from server.settings import Settings
from tests.pods import awaited, migrated
from tests.served import secrets


@pytest.fixture
async def runtime(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A pod without its HTTP."""
    await (await migrated(database_url)).close()
    own = {"LAUREL_DATABASE_URL": database_url, "LAUREL_REDIS_URL": redis_url, "LAUREL_DATA": str(tmp_path)}
    runtime = Runtime(Settings.from_mapping(secrets() | own))
    await runtime.start()
    yield runtime
    await runtime.stop()


async def test_a_pod_whose_loop_keeps_failing_is_not_ready(runtime: Runtime, monkeypatch: pytest.MonkeyPatch):
    request: Any = SimpleNamespace(app=SimpleNamespace(ctx=SimpleNamespace(runtime=runtime)))
    await awaited(lambda: not runtime.missing())
    assert (await readyz(request)).status == 200

    async def fails() -> None:
        raise ValueError("on purpose")

    monkeypatch.setattr(supervising, "LONGEST_DELAY_SECONDS", 0.01)
    runtime.supervisor.keep("broken", fails)
    await awaited(runtime.missing)
    answer = await readyz(request)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert runtime.missing() == ["loop broken keeps failing"]
    await runtime.supervisor.stop_loop("broken")
