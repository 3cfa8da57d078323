"""`laurel serve`: one pod, told to stop more than once, or on a taken port."""

import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.laurel_process import until
from tests.served import ServedPod
from tests.server.cli.conftest import Run


def test_a_pod_that_drains_is_not_ended_by_being_asked_again(environ: Mapping[str, str], tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # what is to be written at the end waits for it
        away = f"postgresql://laurel:x@127.0.0.1:{silent.getsockname()[1]}/laurel"
        with ServedPod(tmp_path, {**environ, "LAUREL_DATABASE_URL": away}) as pod:
            until(lambda: "Worker ready" in pod.log.read_text())  # it listens a little sooner
            os.kill(pod.pid, signal.SIGTERM)
            until(lambda: "draining" in answer(pod))
            for _ in range(3):
                os.kill(pod.pid, signal.SIGTERM)
                assert answer(pod)
            assert pod.stop() == 0
            assert pod.log.read_text().count("stopped with work left") == 1


def test_a_port_that_is_taken_is_one_line(run: Run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is taken" in run("serve", port=str(port)).complaint


def test_an_address_of_another_machine_is_one_line(run: Run):
    assert "cannot listen on 192.0.2.1: " in run("serve", host="192.0.2.1").complaint


def answer(pod: ServedPod) -> str:
    """What /readyz says, nothing before it listens."""
    try:
        return httpx.get(f"{pod.url}/readyz", trust_env=False).text
    except httpx.TransportError:
        return ""
