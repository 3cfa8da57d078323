"""A real `laurel up` in a folder of its own, for end-to-end tests."""

import http.client
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psutil

from server.cli.config import offers
from server.embedded.folder import DataFolder
from server.embedded.ports import LOOPBACK, is_free
from server.embedded.runtime import running

ROOT = Path(__file__).parent.parent
STOP_SECONDS = 60
COMMAND_SECONDS = 90
POLL_SECONDS = 0.05
TAIL_BYTES = 8000
FIRST_PORT, WORKERS_PORTS, MOST_WORKERS = 20_000, 2_000, 6
"""Each worker's own, all below those that Linux gives to whoever connects somewhere (32768 and up)."""


def temporary_folder() -> Path:
    """Apart from pytest's folders, which nobody else may pass through."""
    return Path(tempfile.mkdtemp(prefix="laurel-test-"))


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """The condition's first true value; fails when none comes in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still not true after {seconds} s"
        time.sleep(POLL_SECONDS)
    return value


def free_ports(count: int) -> int:
    """The first of so many free ports in a row, which nobody takes before a pod does."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = FIRST_PORT + worker % MOST_WORKERS * WORKERS_PORTS
    while True:
        first = random.randrange(own, own + WORKERS_PORTS - count)
        if all(is_free(LOOPBACK, first + i) for i in range(count)):
            return first


def is_ready(url: str) -> bool:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class LaurelProcess:
    """Use as a context manager: it stops and removes what it made."""

    def __init__(self, data: Path | None = None) -> None:
        self._temporary = None if data else temporary_folder()
        self._process: subprocess.Popen[str] | None = None
        self._environ: dict[str, str] = {}
        self.data = data or (self._temporary / "data")
        self.urls: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(
        self, pods: int = 1, load_test: bool = True, env: Mapping[str, str] | None = None, port: int | None = None
    ) -> Self:
        """Returns when every pod is ready; fails with the output."""
        port = port or free_ports(pods)
        self._environ = {k: v for k, v in os.environ.items() if not k.startswith("LAUREL_")} | dict(env or {})
        command = self._command("up", "--port", str(port), "--pods", str(pods), *(["--load-test"] if load_test else []))
        self._errors_path.parent.mkdir(exist_ok=True)
        with self._errors_path.open("a") as errors:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environ, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        lines = iter(self._process.stdout.readline, "")
        if not any(line.startswith("Laurel is running") for line in lines):
            self._process.communicate()
            code = self._process.returncode
            raise AssertionError(f"`laurel up` ended with {code} instead of starting\n{self.output()}")
        self.urls = [pod["url"] for pod in self.config()["pods"]]
        return self

    @property
    def up_pid(self) -> int:
        return self._process.pid

    def run(self, *arguments: str) -> str:
        """Runs another `laurel` command on this folder; its stdout."""
        result = subprocess.run(
            self._command(*arguments),
            cwd=ROOT,
            env=self._environ,
            capture_output=True,
            check=False,
            text=True,
            timeout=COMMAND_SECONDS,
        )
        assert result.returncode == 0, f"laurel {' '.join(arguments)}: {result.returncode}\n{result.stderr}"
        return result.stdout

    def forget(self, names: Iterable[str]) -> None:
        """Runs further commands without these variables, as another shell would."""
        self._environ = {name: value for name, value in self._environ.items() if name not in names}

    def config(self) -> dict[str, Any]:
        """What `laurel config --json` says of it, without the time that a process takes."""
        up = running(DataFolder(self.data))
        assert up is not None, self.output()
        return offers(up)

    def pods(self) -> list[int]:
        return [pod["pid"] for pod in self.config()["pods"]]

    def mint_tokens(self, count: int) -> list[tuple[str, str]]:
        """Players as (user id, access token)."""
        return _pairs(self.run("token", "mint", "--users", str(count)))

    def mint_admin(self, name: str = "admin") -> tuple[str, str]:
        return _pairs(self.run("token", "mint", "--user", name, "--admin"))[0]

    def mint_tickets(self, count: int, users: int = 1, action: str = "sprint") -> list[tuple[str, str]]:
        """Redeemable tickets as (access token, ticket)."""
        return _pairs(self.run("ticket", "mint", "--count", str(count), "--users", str(users), "--action", action))

    def kill_pod(self, index: int) -> int:
        return _kill(self.pods()[index])

    def kill_postgres(self) -> int:
        return _kill(self.config()["databasePid"])

    def kill_redis(self) -> int:
        return _kill(self.config()["redisPid"])

    def kill(self) -> None:
        """Kills `up` alone, as an unlucky operator would."""
        self._process.kill()
        self._process.communicate()

    def await_ready(self, seconds: float = 60) -> None:
        until(lambda: all(is_ready(url) for url in self.urls), seconds)

    def processes(self) -> list[psutil.Process]:
        """What `up` started and what that started."""
        return psutil.Process(self.up_pid).children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Asks `up` to stop; its exit code."""
        self._process.send_signal(number)
        self._process.communicate(timeout=STOP_SECONDS)
        return self._process.returncode

    def close(self) -> None:
        if self._process and self._process.poll() is None:
            self.stop()
        if self._temporary:
            shutil.rmtree(self._temporary)

    def output(self) -> str:
        """What `up` and its children wrote last."""
        logs = [self._errors_path, *sorted(self.data.glob("log/*.log"))]
        return "\n".join(f"--- {log}\n{_tail(log)}" for log in logs if log.exists())

    @property
    def _errors_path(self) -> Path:
        return self.data.parent / "up-stderr.log"

    def _command(self, name: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "server", name, *arguments, "--data", str(self.data)]


def run_module(module: str, *arguments: str, seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess[str]:
    """Runs `python -m MODULE` as if nothing of Laurel were in the environment.

    Asks what takes too long to end, as only it knows what it started; raises TimeoutExpired.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            out, errors = process.communicate(timeout=seconds)
        except BaseException:
            process.terminate()
            try:
                process.communicate(timeout=STOP_SECONDS)
            finally:
                process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def _kill(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)
    return pid


def _tail(path: Path) -> str:
    return path.read_bytes()[-TAIL_BYTES:].decode(errors="replace")


def _pairs(lines: str) -> list[tuple[str, str]]:
    return [(first, second) for first, _, second in (line.partition("\t") for line in lines.splitlines())]
