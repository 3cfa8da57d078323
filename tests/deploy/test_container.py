"""The built image in a container engine, as a cluster runs it: no root, no capabilities, nothing to write to.

It is not built here: docker build --tag laurel:0.1.0 . (podman: with --format docker); likewise the image that loads a
deployment: docker build --target load --tag laurel-load:0.1.0 .
"""

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import websockets

from server.embedded.servers import EmbeddedServers
from tests.deploy.test_image import PROJECT
from tests.deploy.test_load_job import CONTAINER
from tests.laurel_process import ROOT, free_ports, is_ready, until
from tests.pods import migrated
from tests.served import secrets

IMAGE = f"laurel:{PROJECT['version']}"
LOAD_IMAGE = f"laurel-load:{PROJECT['version']}"
GRACE_SECONDS = 15
COMMAND_SECONDS = 30
GOING_AWAY = 1001
CONFINED = (
    *("--network", "host", "--read-only", "--tmpfs", "/checkpoints:mode=1777"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
)


class Engine:
    """Docker or Podman, whichever has the image."""

    def __init__(self, program: str) -> None:
        self._program = program

    def tried(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What a command said and how it ended."""
        return subprocess.run(
            [self._program, *arguments], capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
        )

    def runs_here(self) -> bool:
        """Whether the engine has the image and may start something in it."""
        return self.tried("image", "inspect", IMAGE).returncode == 0 and (
            self.tried("run", "--rm", *CONFINED, "--entrypoint", "true", IMAGE).returncode == 0
        )

    def __call__(self, *arguments: str) -> str:
        """What a command said; fails when the command does."""
        found = self.tried(*arguments)
        assert found.returncode == 0, found.stderr
        return found.stdout.strip()


@pytest.fixture(scope="module")
def engine() -> Engine:
    for program in ("docker", "podman"):
        if shutil.which(program) and Engine(program).runs_here():
            return Engine(program)
    pytest.skip(f"!! no container engine here runs {IMAGE}, so it was NOT tested: docker build --tag {IMAGE} .")


@pytest.fixture(scope="module")
def environ(
    engine: Engine, embedded: EmbeddedServers, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A file of settings, with a migrated database."""
    asyncio.run(empty(database_url))
    own = {name: value for name, value in secrets().items() if "EMBEDDED" not in name} | {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_REDIS_URL": embedded.redis.url.replace("/0", "/5"),
        "LAUREL_GRACE_SECONDS": str(GRACE_SECONDS),
        "LAUREL_CHECKPOINT_FILE": "/checkpoints/laurel.checkpoint",
    }
    file = tmp_path_factory.mktemp("image") / "environ"
    file.write_text("".join(f"{name}={value}\n" for name, value in own.items()))
    return file


async def empty(url: str) -> None:
    await (await migrated(url)).close()


@contextmanager
def pod(engine: Engine, environ: Path) -> Iterator[tuple[str, str]]:
    """A container's name and its pod's address."""
    name, port = f"laurel-test-{os.getpid()}", free_ports(1)
    try:
        engine(
            "run",
            "--detach",
            "--name",
            name,
            *CONFINED,
            "--env-file",
            str(environ),
            "--env",
            f"LAUREL_PORT={port}",
            IMAGE,
        )
        until(lambda: is_ready(f"http://127.0.0.1:{port}"))
        yield name, f"127.0.0.1:{port}"
    finally:
        engine.tried("rm", "--force", name)


def test_commands_run_with_nothing_to_write_to(engine: Engine, environ: Path) -> None:
    def laurel(*arguments: str) -> subprocess.CompletedProcess[str]:
        return engine.tried("run", "--rm", *CONFINED, "--env-file", str(environ), IMAGE, *arguments)

    assert "serve" in laurel("--help").stdout
    assert "up to date" in laurel("migrate", "--check").stderr
    doctor = laurel("doctor")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "all applied" in doctor.stdout


def test_a_pod_is_nobody_and_its_health_check_holds(engine: Engine, environ: Path) -> None:
    with pod(engine, environ) as (name, _):
        assert engine("exec", name, "id", "-u") == "10001"
        assert engine.tried("exec", name, "touch", "/opt/laurel/written").returncode == 1
        assert "CapEff:\t0000000000000000" in engine("exec", name, "cat", "/proc/1/status")
        (found,) = json.loads(engine("image", "inspect", IMAGE))
        check = (found.get("Healthcheck") or found["Config"]["Healthcheck"])["Test"]
        engine("exec", name, *check[1:])


async def test_it_drains_and_ends_with_0_when_told_to_stop(engine: Engine, environ: Path) -> None:
    with pod(engine, environ) as (name, address):
        async with websockets.connect(f"ws://{address}/api/v1/live") as viewer:
            await viewer.recv()
            began = time.monotonic()
            stopping = asyncio.create_task(asyncio.to_thread(engine, "stop", "--time", str(2 * GRACE_SECONDS), name))
            with pytest.raises(websockets.ConnectionClosed):
                while True:
                    await viewer.recv()
            assert viewer.close_code == GOING_AWAY
            assert "reconnectAfterMs" in (viewer.close_reason or "")
        await stopping
        assert time.monotonic() - began < GRACE_SECONDS
        assert engine("inspect", "--format", "{{.State.ExitCode}}", name) == "0"


def test_the_load_image_judges_a_pod(engine: Engine, environ: Path) -> None:
    """The Job's arguments, shorter; times are the machine's affair."""
    if engine.tried("image", "inspect", LOAD_IMAGE).returncode:
        pytest.skip(f"!! no engine here has {LOAD_IMAGE}: docker build --target load --tag {LOAD_IMAGE} .")
    assert CONTAINER["image"] == LOAD_IMAGE
    given = ("run", "--rm", *CONFINED, "--env-file", str(environ))
    sample = f"{ROOT}/models/samples/actions.json:/opt/laurel/actions.json:ro"
    engine(*given, "--volume", sample, IMAGE, "actions", "import", "/opt/laurel/actions.json")
    with pod(engine, environ) as (_, address):
        own = (f"--host=http://{address}", "--run-time=8s", "--users=20", "--spawn-rate=20")
        done = engine.tried(*given, "--tmpfs", "/record:mode=1777", LOAD_IMAGE, *CONTAINER["args"], *own)
    broken = [line for line in done.stdout.splitlines() if line.startswith("  BROKEN")]
    assert "Ledger and scores were read from the database" in done.stdout, done.stdout + done.stderr
    assert [line for line in broken if "budget:" not in line] == []
    assert done.returncode == bool(broken)
