"""Which servers and which keys a command works with."""

from pathlib import Path

from tests.server.cli.conftest import Run

KEYS = ("ticket_keys", "audit_keys", "jwt_keys")


def test_no_keys_are_invented_for_a_database_that_is_configured(run: Run, tmp_path: Path):
    unset = dict.fromkeys(("redis_url", *KEYS))
    complaint = run("token", "mint", data=str(tmp_path), **unset).complaint
    assert all(f"LAUREL_{name.upper()}" in complaint for name in KEYS)
    assert list(tmp_path.iterdir()) == []
