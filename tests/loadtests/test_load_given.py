"""A run against pods that run already, with limits and sessions as they are: nothing broke, so nothing fails."""

from collections.abc import Callable
from pathlib import Path

from loadtests.load.measured import Measured
from tests.laurel_process import LaurelProcess, run_module

SETTINGS = {
    "LAUREL_ACCESS_TTL_SECONDS": "10",
    "LAUREL_RATE_LIMIT_READS": "4/second",
    "LAUREL_RATE_LIMIT_SOCKETS": "5,2",
}
PEOPLE = """{"user_class_name": "%s", "fixed_count": 6}"""
PATIENT = """
failures_percent = 0
lag = {p95_ms = 60000, p99_ms = 60000}
[[budget]]
name = "redeem"
least = 5
"""


def test_people_renew_their_tokens_and_wait_where_a_limit_is_reached(
    tmp_path: Path, laurel_factory: Callable[[], LaurelProcess]
):
    laurel = laurel_factory().start(load_test=False, env=SETTINGS)
    budgets = tmp_path / "budgets.toml"
    budgets.write_text(PATIENT)
    kinds = [PEOPLE % kind for kind in ("Player", "Viewer", "Poller")]
    size = ("--people", "18", "--spawn-rate", "18", "--seconds", "12", "--config-users", *kinds)
    where = ("--url", laurel.urls[0], "--report", str(tmp_path), "--budgets", str(budgets))
    done = run_module("loadtests.load", *size, *where)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {(row.kind, row.name): row for row in Measured.read(tmp_path).rows}
    assert rows["POST", "renew"].count
    assert rows["WS", "limited: 429"].count
    assert rows["GET", "limited: 429 rate_limited"].count
    assert rows["WS", "connect"].failures == 0
    assert "Only the public API was asked" in done.stdout
