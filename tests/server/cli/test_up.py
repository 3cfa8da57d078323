"""`laurel up`: refuses clearly, restarts the dead, leaves nothing."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from server.embedded.processes import await_end
from tests.caller import Caller
from tests.laurel_process import ROOT, LaurelProcess, free_ports, is_ready, temporary_folder, until

Factory = Callable[[], LaurelProcess]


def refused(*arguments: str, env: dict[str, str] | None = None) -> str:
    """The one line with which a command fails."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("LAUREL_")} | (env or {})
    command = [sys.executable, "-m", "server", *arguments]
    result = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False, text=True, timeout=60)
    assert result.returncode == 1, result
    assert result.stderr.startswith("laurel: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_unknown_variable_is_refused_before_anything_starts(tmp_path: Path):
    line = refused("up", "--data", str(tmp_path / "data"), env={"LAUREL_PROT": "1"})
    assert "LAUREL_PROT is not a setting" in line
    assert not (tmp_path / "data").exists()


def test_folder_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()
    assert "cannot write to the data folder" in refused("up", "--data", str(tmp_path / "file" / "data"))


def test_taken_port_is_refused_before_anything_starts(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused("up", "--data", str(tmp_path / "data"), "--port", str(port))
    assert f"port {port} of 127.0.0.1 is taken" in line
    assert not (tmp_path / "data" / "postgres").exists()


def test_ports_past_the_last_are_refused(tmp_path: Path):
    assert "ports above 65535" in refused("up", "--data", str(tmp_path), "--port", "65535", "--pods", "2")


@pytest.mark.parametrize(
    "option",
    [("--pods", "0"), ("--pods", "65"), ("--pods", "many"), ("--port", "0"), ("--port", "65536"), ("--port", "x")],
)
def test_numbers_are_bounded(option: tuple[str, str]):
    command = [sys.executable, "-m", "server", "up", *option]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 2


def test_serve_names_what_is_missing(tmp_path: Path):
    line = refused("serve", "--data", str(tmp_path))
    assert "LAUREL_DATABASE_URL and LAUREL_REDIS_URL must be set" in line


def test_second_up_on_the_same_folder_is_refused(laurel: LaurelProcess):
    line = refused("up", "--data", str(laurel.data), "--port", str(free_ports(1)))
    assert f"(pid {laurel.up_pid})" in line


def test_config_shows_what_runs_without_secrets(laurel: LaurelProcess):
    shown = json.loads(laurel.run("config", "--json"))
    assert {name: value for name, value in shown.items() if name != "settings"} == laurel.config()
    assert len(shown["pods"]) == len(laurel.urls) == 3
    assert all(is_ready(url) for url in laurel.urls)
    assert psutil.Process(shown["databasePid"]).name() == "postgres"
    assert psutil.Process(shown["redisPid"]).name() == "redis-server"
    assert all(key.endswith(":***") for key in shown["settings"]["LAUREL_JWT_KEYS"])
    assert laurel.urls[0].endswith(f":{shown['settings']['LAUREL_PORT']}"), "an option of `up` is in force"
    assert "pod-3" in laurel.run("config")


def test_what_up_was_given_is_in_force_for_other_commands(laurel_factory: Factory):
    given = {"LAUREL_JWT_ISSUER": "https://play.example", "LAUREL_ACCESS_TTL_SECONDS": "77"}
    laurel = laurel_factory().start(env=given)
    laurel.forget(given)
    shown = json.loads(laurel.run("config", "--json"))["settings"]
    assert {name: str(shown[name]) for name in given} == given
    ((_, token),) = laurel.mint_tokens(1)
    with Caller(laurel.urls[0], token) as caller:
        assert caller.http.get("/api/v1/me").status_code == 200
    assert "LAUREL_JWT_KEYS" not in (laurel.data / "runtime.json").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_leaves_no_process_and_no_record(laurel_factory: Factory, number: signal.Signals):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may ignore it
    try:
        laurel = laurel_factory().start(pods=2)
    finally:
        signal.signal(signal.SIGINT, before)
    started = laurel.processes()
    assert len(started) > 4
    assert laurel.stop(number) == 0
    assert await_end(started, 5) == []
    assert not (laurel.data / "runtime.json").exists()


def test_killed_children_are_started_again(laurel_factory: Factory):
    laurel = laurel_factory().start(pods=2)
    before = laurel.config()
    killed = {laurel.kill_pod(0), laurel.kill_postgres(), laurel.kill_redis()}

    def all_new() -> bool:
        now = laurel.config()
        return killed.isdisjoint({now["pods"][0]["pid"], now["databasePid"], now["redisPid"]})

    until(all_new)
    laurel.await_ready()
    after = laurel.config()
    assert (after["databaseUrl"], after["redisUrl"]) == (before["databaseUrl"], before["redisUrl"])
    assert after["pods"][1] == before["pods"][1]
    assert laurel.stop() == 0


def test_a_command_needs_no_up_before_it():
    data = temporary_folder() / "data"
    try:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}

        def laurel(*arguments: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "server", *arguments, "--data", str(data)]
            return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)

        # Several at once, as a script may start them: each has the folder for its own time, the first fills it.
        minting = [laurel("token", "mint", "--user", name) for name in ("ada", "bob", "Ada")]
        minted = [process.communicate(timeout=60)[0].partition("\t")[0] for process in minting]
        assert [process.returncode for process in minting] == [0, 0, 0]
        assert minted[0] == minted[2] != minted[1]
        exported = laurel("actions", "export", "-").communicate(timeout=60)[0]
        assert "sprint" in [action["actionId"] for action in json.loads(exported)["actions"]]
    finally:
        shutil.rmtree(data.parent)


def test_start_after_up_was_killed(laurel_factory: Factory):
    laurel = laurel_factory().start()
    port = int(laurel.urls[0].rpartition(":")[2])
    left = laurel.processes()
    laurel.kill()
    laurel.start(port=port)
    assert await_end(left, 5) == []
    assert laurel.stop() == 0
