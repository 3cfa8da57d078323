"""Pods of the benchmark: ready, with their boards in Redis, and stopped afterwards."""

import http.client
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec

from loadtests.bench.processes import BenchError
from server.embedded.folder import DataFolder
from server.embedded.pods import Pod, stop_pods
from server.embedded.ports import LOOPBACK, any_free

GRACE_SECONDS = 5
BOARDS_SECONDS = 240.0
POLL_SECONDS = 0.05


@contextmanager
def running(folder: DataFolder, environ: Mapping[str, str], count: int) -> Iterator[Sequence[Pod]]:
    """So many pods on free ports."""
    given = {**environ, "LAUREL_GRACE_SECONDS": str(GRACE_SECONDS)}
    pods = [Pod(folder, number, LOOPBACK, any_free(), given) for number in range(1, count + 1)]
    try:
        for pod in pods:
            pod.start()
        for pod in pods:
            pod.await_ready(time.sleep)
            _await_boards(pod)
        yield pods
    finally:
        stop_pods(pods, GRACE_SECONDS, lambda: False, time.sleep)


def _await_boards(pod: Pod) -> None:
    """Returns when every board is served from Redis; raises BenchError."""
    deadline = time.monotonic() + BOARDS_SECONDS
    for board in _get(pod, "/api/v1/boards")["boards"]:
        while board["period"] and _get(pod, f"/api/v1/boards/{board['boardId']}/top?limit=1")["degraded"]:
            if time.monotonic() > deadline:
                raise BenchError(f"board {board['boardId']} is still not in Redis")
            time.sleep(POLL_SECONDS)


def _get(pod: Pod, path: str) -> Any:
    connection = http.client.HTTPConnection(urlsplit(pod.url).netloc, timeout=10)
    try:
        connection.request("GET", path)
        return msgspec.json.decode(connection.getresponse().read())
    finally:
        connection.close()


def pid_of(pod: Pod) -> int:
    """The process of a running pod; raises BenchError."""
    if pod.pid is None:
        raise BenchError("the pod does not run")
    return pod.pid


def port_of(pod: Pod) -> int:
    """The port it listens on."""
    return urlsplit(pod.url).port or 0
