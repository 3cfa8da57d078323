"""A real run: people from locust on pods of their own, with outages."""

import re
import subprocess
from pathlib import Path

import psutil
import pytest

from loadtests.load.measured import Measured
from loadtests.load.told import Told
from tests.laurel_process import run_module

LOOSE = """
failures_percent = 100
lag = {p95_ms = 60000, p99_ms = 60000}
[[budget]]
name = "redeem"
least = 20
failures_percent = 0
[[budget]]
name = "cheat"
least = 3
failures_percent = 0
[[budget]]
name = "divergence"
most = 0
"""
"""Truth is tested here; times are the business of quieter machines."""
CHEATERS = '{"user_class_name": "Cheater", "fixed_count": 8}'


def of_load_tests() -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if any("laurel-load-" in w for w in p.info["cmdline"] or ())]


def test_people_on_pods_of_their_own_pass_whatever_fails_and_leave_nothing_running(tmp_path: Path):
    """What `make load ARGS=--outages` does, shorter."""
    loose = tmp_path / "loose.toml"
    loose.write_text(LOOSE)
    options = (
        "--seconds",
        "10",
        "--people",
        "40",
        "--pods",
        "2",
        "--shape",
        "waves",
        "--spawn-rate",
        "20",
        "--outages",
    )
    done = run_module(
        "loadtests.load",
        *options,
        "--config-users",
        CHEATERS,
        "--report",
        str(tmp_path / "report"),
        "--budgets",
        str(loose),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done_to_them = ("Redis hangs", "Redis goes on", "PostgreSQL hangs", "PostgreSQL goes on", "a pod is killed")
    assert re.findall("|".join(done_to_them), done.stderr) == list(done_to_them)
    told = Told.read(tmp_path / "report")
    assert told.answers
    assert told.refused
    assert not told.divergences + told.cheats
    assert {view.finally_so for view in told.views} >= {True}
    assert told.ended[0].cpu_seconds > 0
    assert told.seen
    names = {row.name for row in Measured.read(tmp_path / "report").rows}
    assert {"start", "redeem", "read top", "connect", "replayed answer", "generator CPU, % of a core"} <= names
    assert "sent → screen (commit → screen, at most)" in names
    assert "Verdict: passed" in done.stdout
    assert "from the database" in done.stdout
    assert "<svg" in (tmp_path / "report" / "report.html").read_text()
    assert (tmp_path / "report" / "locust.html").stat().st_size > 10_000
    assert not of_load_tests()


def test_a_run_that_takes_too_long_leaves_nothing_running(tmp_path: Path):
    with pytest.raises(subprocess.TimeoutExpired):
        run_module("loadtests.load", "--people", "5", "--pods", "1", "--report", str(tmp_path), seconds=10)
    assert not of_load_tests()
