"""Pods as supervised child processes of one `laurel up`."""

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from server.embedded.errors import EmbeddedError
from server.embedded.folder import DataFolder, Pause
from server.embedded.processes import POLL_SECONDS, ProcessKey
from server.embedded.runtime import RunningPod
from server.embedded.spawned import OWN_CODE, Spawned

READY_SECONDS = 60
PROBE_SECONDS = 2
PROBE_PAUSE_SECONDS = 0.1
KILL_SLACK_SECONDS = 5  # what a pod gets beyond its own grace period
LOG_TAIL_LINES = 20
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared with, not bound to


class Pod(Spawned):
    """One `python -m server serve`; its output goes to a log."""

    def __init__(self, folder: DataFolder, number: int, host: str, port: int, environ: Mapping[str, str]) -> None:
        super().__init__(folder, f"pod-{number}")
        self._environ = {**environ, "LAUREL_HOST": host, "LAUREL_PORT": str(port)}
        self._create_time = 0.0
        self.url = pod_url(host, port)

    @property
    def record(self) -> RunningPod | None:
        return RunningPod(self.url, self._process.pid, self._create_time) if self._process else None

    def start(self, pause: Pause = time.sleep) -> None:
        """Starts the process; whether it is ready is another question."""
        del pause
        with self._folder.open_log(self.name) as log:
            command = [sys.executable, *OWN_CODE, "server", "serve"]
            self._process = self._spawn(command, log, env=self._environ, stdin=subprocess.DEVNULL)
        self._create_time = ProcessKey.of(self._process.pid).create_time

    def await_ready(self, pause: Pause) -> None:
        """Returns at the first 200 of /readyz; raises EmbeddedError."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if (code := self.exit_code()) is not None:
                raise EmbeddedError(f"{self.name} {ending(code)} before it was ready: see {self.log}\n{self._tail()}")
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{self.name} was not ready within {READY_SECONDS} s: see {self.log}\n{self._tail()}"
                )
            pause(PROBE_PAUSE_SECONDS)

    def send(self, number: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    def _is_ready(self) -> bool:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PROBE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join(f"  {line}" for line in lines)


def stop_pods(pods: Sequence[Pod], grace_seconds: float, hastened: Callable[[], bool], pause: Pause) -> None:
    """Asks all at once, kills those that outlive their grace period."""
    for pod in pods:
        pod.send(signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds + KILL_SLACK_SECONDS
    while any(_lives(pod) for pod in pods) and time.monotonic() < deadline and not hastened():
        pause(POLL_SECONDS)
    for pod in pods:
        pod.send(signal.SIGKILL)
    while any(_lives(pod) for pod in pods):
        pause(POLL_SECONDS)


def pod_url(host: str, port: int) -> str:
    """Where a pod is reached that listens on this host."""
    host = WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def ending(code: int) -> str:
    """How a process ended, in words."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _lives(pod: Pod) -> bool:
    return pod.pid is not None and pod.exit_code() is None
