"""`laurel audit`: exit codes and words; what is found is tested beside the auditor."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.laurel_process import LaurelProcess


def execute(environ: Mapping[str, str], statement: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(environ["LAUREL_DATABASE_URL"])
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())


def test_empty_ledger_holds_together(run):
    result = run("audit", "verify")
    assert (result.code, result.lines) == (
        0,
        ["0 entries of 0 players hold together; the standings of 0 were compared"],
    )


def test_unknown_player_is_refused(run):
    user_id = str(uuid4())
    assert f"there is no player {user_id}" in run("audit", "verify", "--user", user_id.upper()).complaint


def test_first_broken_row_is_a_result(run, environ: Mapping[str, str], tmp_path: Path):
    ((user_id, _),) = run("token", "mint").pairs
    execute(environ, f"UPDATE players SET version = 2 WHERE id = '{user_id}'")
    result = run("audit", "verify")
    assert (result.code, result.err) == (1, "")
    assert result.lines == [f"broken: player {user_id}, version 1: the entry of this version is missing"]

    file = tmp_path / "checkpoint"
    file.write_text(run("audit", "checkpoint").out)
    execute(environ, "UPDATE players SET version = 0")
    assert run("audit", "verify").code == 0
    result = run("audit", "verify", "--checkpoint", file)
    assert (result.code, "checkpoint has version 2" in result.out) == (1, True)

    file.write_text(file.read_text().replace('"players":1', '"players":2'))
    assert "signature does not fit" in run("audit", "verify", "--checkpoint", file).complaint
    assert "cannot read" in run("audit", "verify", "--checkpoint", tmp_path / "none").complaint


@pytest.mark.parametrize(
    "arguments", [[], ["verify", "--user", "ada"], ["checkpoint", "--user", str(uuid4())], ["mend"]]
)
def test_wrong_usage_is_2(run, arguments: list[str]):
    assert run("audit", *arguments).code == 2


def test_running_pods_are_audited(laurel: LaurelProcess):
    ((token, ticket),) = laurel.mint_tickets(count=1)
    url = f"{laurel.urls[0]}/api/v1/tickets/redeem"
    assert httpx.post(url, json={"ticket": ticket}, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert "hold together" in laurel.run("audit", "verify")
