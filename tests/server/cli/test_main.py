"""What every command does: how it ends by a signal, and when nobody can have its results."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from server.cli import config
from tests.laurel_process import ROOT
from tests.server.cli.conftest import Run


def unhandled(number: int, frame: object) -> None:
    raise AssertionError(f"signal {number} would have ended the process at once")


@pytest.mark.parametrize(
    ("number", "handler", "code"),
    [
        (signal.SIGTERM, unhandled, 128 + signal.SIGTERM),
        (signal.SIGHUP, unhandled, 128 + signal.SIGHUP),
        (signal.SIGHUP, signal.SIG_IGN, 0),  # under nohup
    ],
)
def test_what_was_started_is_stopped_by_a_signal_that_is_not_ignored(
    run: Run,
    number: signal.Signals,
    handler: signal.Handlers | Callable[[int, object], None],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
):
    stopped: list[bool] = []

    def work(*_: object) -> int:
        try:
            signal.raise_signal(number)
        finally:
            stopped.append(True)
        return 0

    monkeypatch.setattr(config, "run", work)
    former = signal.signal(number, handler)
    try:
        assert run("config").code == code
    finally:
        signal.signal(number, former)
    assert stopped == [True]


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "server", "token", "mint", "--users", "1"),  # in one piece at the end
        ("-m", "server", "token", "mint", "--users", "200"),  # in several on the way
        ("-u", "-m", "server", "audit", "checkpoint"),  # at once, while the database is read
    ],
)
def test_results_without_room_are_a_failure_of_one_line(environ: Mapping[str, str], arguments: Sequence[str]):
    own = {name: value for name, value in os.environ.items() if not name.startswith(("LAUREL_", "PYTHON"))}
    command = [sys.executable, *arguments]
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            command, cwd=ROOT, env={**own, **environ}, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (result.returncode, result.stderr) == (1, "laurel: No space left on device\n")
