"""Children are started again whatever fails meanwhile: disk, processes, the record of what runs."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from server.embedded.demo import Demo
from server.embedded.errors import EmbeddedError
from server.embedded.folder import DataFolder
from server.embedded.pods import Pod
from server.embedded.watch import LAST_BACKOFF_SECONDS, Signals, Watched, watch
from tests.laurel_process import free_ports, until


class Fallen:
    """A child that is dead, and does at its start what it is told; a full disk cannot be had."""

    name = "fallen"
    log = Path("fallen.log")

    def __init__(self, start: Callable[[], None]) -> None:
        self._start = start
        self._code: int | None = 1

    def exit_code(self) -> int | None:
        return self._code

    def start(self, pause: Callable[[float], None]) -> None:
        self._start()
        self._code = None


def fail(error: Exception) -> None:
    raise error


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.prepare(tmp_path / "data")


def test_what_could_not_be_written_down_is_tried_again():
    said: list[str] = []
    tries: list[str] = []

    def changed() -> None:
        tries.append("try")
        if len(tries) == 1:
            raise EmbeddedError("cannot write runtime.json")
        signal.raise_signal(signal.SIGTERM)

    with Signals() as signals:
        watch([Fallen(lambda: None)], signals, changed, said.append)
    assert "cannot write runtime.json" in said
    assert len(tries) == 2


@pytest.mark.parametrize("error", [EmbeddedError("no room"), OSError("no room")])
def test_a_child_that_cannot_start_is_tried_for_ever(error: Exception, monkeypatch: pytest.MonkeyPatch):
    now = 0.0
    monkeypatch.setattr("server.embedded.watch.time", SimpleNamespace(monotonic=lambda: now))
    said: list[str] = []
    watched = Watched(Fallen(lambda: fail(error)))
    for _ in range(2_000):  # some hours; as many doublings are too much for a float
        assert not watched.look(lambda seconds: None, said.append)
        now += LAST_BACKOFF_SECONDS + 0.1
    assert len(said) == 2_000
    assert said[-1].startswith("no room")
    assert said[-1].endswith(f"again in {LAST_BACKOFF_SECONDS} s")


def test_a_program_that_cannot_be_run_is_one_line(folder: DataFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", str(folder.root / "none"))
    for child in (Pod(folder, 1, "127.0.0.1", free_ports(1), {}), Demo(folder, [])):
        with pytest.raises(EmbeddedError, match=r"cannot run .*/none: No such file"):
            child.start()


def test_a_pod_is_of_this_installation_wherever_it_is_started(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "server.py").write_text("print('a stranger')")
    monkeypatch.chdir(tmp_path)
    pod = Pod(folder, 1, "127.0.0.1", free_ports(1), {"LAUREL_DATA": str(folder.root)})
    pod.start()
    assert until(pod.exit_code) == 1
    assert "must be set" in pod.log.read_text()


def test_a_signal_that_is_ignored_stays_so():
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            signal.raise_signal(signal.SIGHUP)
            assert signals.count == 0
            signal.raise_signal(signal.SIGTERM)
            assert signals.count == 1
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, former)
