"""`laurel migrate`: applies, names and checks."""

import shutil
import socket

import pytest

from tests.laurel_process import temporary_folder
from tests.server.cli.conftest import Result


def test_second_migration_applies_nothing(run):
    result = run("migrate")
    assert (result.code, result.out) == (0, "")
    assert "up to date" in result.err
    assert run("migrate", "--check").code == 0


def test_a_job_that_migrates_needs_neither_redis_nor_keys(run):
    keys = dict.fromkeys(("redis_url", "ticket_keys", "audit_keys", "jwt_keys"))
    assert run("migrate", **keys).code == 0


def test_missing_migrations_are_listed_then_applied(run):
    """In a folder of its own: the command starts PostgreSQL for its own time."""
    folder = temporary_folder()

    def embedded(*arguments: str) -> Result:
        return run(*arguments, "--data", folder / "data", database_url=None, redis_url=None)

    check = embedded("migrate", "--check")
    assert (check.code, check.lines[0]) == (1, "0001_initial")
    assert "run `laurel migrate` first" in embedded("backup", folder / "file").complaint
    assert embedded("migrate").out == check.out
    shutil.rmtree(folder)


@pytest.mark.parametrize("command", [("migrate",), ("migrate", "--check"), ("backup", "file"), ("audit", "verify")])
def test_database_that_is_away_is_one_line(run, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "the database does not answer" in run(*command, database_url=f"postgresql://x@127.0.0.1:{port}/x").complaint
