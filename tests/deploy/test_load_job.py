"""What the load Job of the dev overlay runs: its own arguments and nothing else of the environment, shorter."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.laurel_process import ROOT, LaurelProcess

JOB = yaml.safe_load((ROOT / "k8s" / "overlays" / "dev" / "load.yaml").read_text())
(CONTAINER,) = JOB["spec"]["template"]["spec"]["containers"]
SECONDS = 60
TRUTH_ALONE = "failures_percent = 0\nbudget = []\nlag = {p95_ms = 60000, p99_ms = 60000}\n"


def run(record: Path, host: str, environ: Mapping[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    """The Job's command with another host and folder, in an environment without a home."""
    own = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environ}
    changed = {"--host": host, "--record": str(record), "--run-time": "5s", "--users": "30", "--spawn-rate": "30"}
    given = dict(argument.partition("=")[::2] for argument in CONTAINER["args"])
    arguments = [f"{name}={value}" if value else name for name, value in (given | changed).items()]
    command = [sys.executable, "-m", "locust", *arguments, *more]
    return subprocess.run(command, cwd=ROOT, env=own, capture_output=True, check=False, text=True, timeout=SECONDS)


def test_the_job_ends_with_a_verdict_from_the_stores_that_its_secret_names(laurel: LaurelProcess, tmp_path: Path):
    loose = tmp_path / "loose.toml"
    loose.write_text(TRUTH_ALONE)
    config = laurel.config()
    values = {"LAUREL_DATABASE_URL": config["databaseUrl"], "LAUREL_REDIS_URL": config["redisUrl"]}
    assert {one["name"] for one in CONTAINER["env"]} == set(values)
    done = run(tmp_path / "record", laurel.urls[0], values, f"--budgets={loose}")
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = done.stdout[done.stdout.rindex("Verdict:") :]
    assert verdict.startswith("Verdict: passed")
    assert "Ledger and scores were read from the database (the environment)" in verdict
    assert "Redis was not" not in verdict


def test_a_run_that_cannot_be_recorded_does_not_begin(tmp_path: Path):
    (tmp_path / "file").touch()
    done = run(tmp_path / "file" / "record", "http://127.0.0.1:1", {})
    assert done.returncode == 1
    assert "load: nothing can be recorded in --record" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_log_ends_with_what_broke(laurel: LaurelProcess, tmp_path: Path):
    done = run(tmp_path / "record", laurel.urls[0], {}, "--run-time=1s", "--users=3")
    assert done.returncode == 1
    assert "Verdict: FAILED" in done.stdout
    assert "BROKEN  budget: redeem:" in done.stdout[done.stdout.rindex("Verdict:") :]
    assert "Only the public API was asked" in done.stdout
