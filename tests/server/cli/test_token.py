"""`laurel token mint`: the same players at every call, tokens that verify."""

import asyncio
import time
from collections.abc import Mapping

import asyncpg
import pytest

from server.auth import Tokens
from server.settings import Settings

MANY = 10_000
LIMIT_SECONDS = 15.0


@pytest.fixture(scope="module")
def tokens(environ: Mapping[str, str]) -> Tokens:
    return Tokens(Settings.from_mapping(environ))


def count(environ: Mapping[str, str], table: str) -> int:
    async def read() -> int:
        connection = await asyncpg.connect(environ["LAUREL_DATABASE_URL"])
        try:
            return await connection.fetchval(f"SELECT count(*) FROM {table}")
        finally:
            await connection.close()

    return asyncio.run(read())


def test_numbered_players_are_the_same_again(run, environ, tokens: Tokens):
    first, again = run("token", "mint", "--users", "3").pairs, run("token", "mint", "--users", "5").pairs
    assert [user for user, _ in first] == [user for user, _ in again][:3]
    assert len(again) == 5
    for user, token in again:
        session = tokens.verify(token)
        assert (session.user_id, session.role) == (user, "player")
    assert count(environ, "players") == count(environ, "accounts")


def test_named_player_is_found_whatever_the_case(run, tokens: Tokens):
    ((user, token),) = run("token", "mint", "--user", "Ada", "--ttl", "60").pairs
    ((again, _),) = run("token", "mint", "--user", "aDA").pairs
    assert again == user
    assert abs(tokens.verify(token).expires_at - time.time() - 60) < 5


def test_admin_role_stays_with_the_account(run, tokens: Tokens):
    def role(*more: str) -> str:
        return tokens.verify(run("token", "mint", "--user", "root-user", *more).pairs[0][1]).role

    assert [role(), role("--admin"), role()] == ["player", "admin", "admin"]


def test_ten_thousand_take_seconds(run, environ):
    began = time.monotonic()
    pairs = run("token", "mint", "--users", str(MANY)).pairs
    assert len({user for user, _ in pairs}) == MANY
    assert time.monotonic() - began < LIMIT_SECONDS
    assert count(environ, "players") == count(environ, "accounts")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--users", "0"],
        ["--user", ""],
        ["--user", "a b c"],
        ["--user", "ada", "--users", "2"],
        ["--ttl", "0"],
        ["--ttl", "soon"],
    ],
)
def test_wrong_usage_is_2(run, arguments: list[str]):
    result = run("token", "mint", *arguments)
    assert (result.code, result.out) == (2, "")
