"""`laurel backup` and `laurel restore`: into a fresh server, into a used one, and what is refused."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from redis import Redis

from models import boards, catalogue
from models.database import credentials
from models.migrate import ASIDE
from server.dump import DumpError, Programs
from server.keys import HmacKey, format_hmac_keys
from tests.deploy.certificates import certificate
from tests.pods import CHAIN, Pod, migrated, new_players, simple_catalogue
from tests.server.cli.conftest import Run

KEYS = format_hmac_keys([HmacKey(kid, secret) for kid, secret in CHAIN.keys.items()])

NO_ROOM = (
    "CREATE SCHEMA other",
    """CREATE FUNCTION other.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_setting('application_name') = 'laurel-dump' AND tg_tag = 'CREATE INDEX' THEN
            RAISE EXCEPTION 'no room';
        END IF; END $$""",
    "CREATE EVENT TRIGGER no_room ON ddl_command_end EXECUTE FUNCTION other.refuse()",
)


def sql(url: str, statement: str) -> list[asyncpg.Record]:
    async def fetch() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    return asyncio.run(fetch())


async def play(url: str, redis_url: str, players: int, times: int) -> None:
    """Players who redeem, through real actors."""
    from actors.messages import RedeemTicket

    database = await migrated(url, simple_catalogue({"sprint": 10}))
    pod = await Pod(database, redis_url, await boards.load(database), await catalogue.load(database)).start()
    for user_id in await new_players(database, players):
        for _ in range(times):
            await pod.tell(user_id, RedeemTicket(pod.ticket(user_id, "sprint")))
    await pod.settler.flush()
    await pod.stop()
    await database.close()


@pytest.fixture
def fresh_url(postgres_url: str) -> Iterator[str]:
    """Another server's empty database, as far as Laurel can tell."""
    name = f"test_{uuid4().hex}"
    sql(postgres_url, f"CREATE DATABASE {name}")
    yield f"{postgres_url.rpartition('/')[0]}/{name}"
    sql(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def played(environ: Mapping[str, str]) -> Mapping[str, str]:
    with Redis.from_url(environ["LAUREL_REDIS_URL"]) as redis:
        redis.flushdb()  # boards of other modules' players
    asyncio.run(play(environ["LAUREL_DATABASE_URL"], environ["LAUREL_REDIS_URL"], 5, 3))
    return environ


def test_a_fresh_server_gets_everything_and_new_epochs(
    run: Run, played: Mapping[str, str], fresh_url: str, tmp_path: Path
):
    file, mark = tmp_path / "laurel.backup", tmp_path / "checkpoint"
    mark.write_text(run("audit", "checkpoint", audit_keys=KEYS).out)
    assert run("backup", file).code == 0
    assert file.stat().st_mode & 0o077 == 0

    with Redis.from_url(played["LAUREL_REDIS_URL"], decode_responses=True) as redis:
        before = set(redis.scan_iter(match="laurel:{*"))
        # What a board of another history left behind must not be taken for one of this.
        redis.set("laurel:{global/1:all}:epoch", "elsewhere")
        restored = run("restore", file, database_url=fresh_url)
        after = set(redis.scan_iter(match="laurel:{*"))
    assert restored.code == 0, restored.err
    assert [line.split("\t")[0] for line in restored.lines] == ["global", "weekly", "daily", "monthly"]
    assert before
    assert {key for key in before if key.endswith(":rank")}.isdisjoint(after)

    verdict = run("audit", "verify", "--checkpoint", mark, database_url=fresh_url, audit_keys=KEYS)
    assert (verdict.code, verdict.lines) == (
        0,
        ["15 entries of 5 players hold together; the standings of 5 were compared"],
    )
    for table in ("players", "ledger", "standings", "player_memos", "action_revisions", "boards"):
        statement = f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t"
        assert sql(fresh_url, statement) == sql(played["LAUREL_DATABASE_URL"], statement), table
    assert run("migrate", "--check", database_url=fresh_url).code == 0


def test_a_restored_database_goes_on(run: Run, played: Mapping[str, str], fresh_url: str, tmp_path: Path):
    file = tmp_path / "laurel.backup"
    assert run("backup", file).code == 0
    assert run("restore", file, database_url=fresh_url).code == 0
    asyncio.run(play(fresh_url, played["LAUREL_REDIS_URL"], 2, 2))
    assert "19 entries of 7 players" in run("audit", "verify", database_url=fresh_url, audit_keys=KEYS).out


def test_what_is_there_is_left_alone_unless_forced(run: Run, played: Mapping[str, str], fresh_url: str, tmp_path: Path):
    file = tmp_path / "laurel.backup"
    assert run("backup", file).code == 0
    assert run("migrate", database_url=fresh_url).code == 0
    sql(fresh_url, "CREATE TABLE later (n int)")
    sql(fresh_url, "INSERT INTO players (id) VALUES (gen_random_uuid())")
    assert "is not empty" in run("restore", file, database_url=fresh_url).complaint

    cut = tmp_path / "cut"
    cut.write_bytes(file.read_bytes()[:-2_000])
    assert "pg_restore" in run("restore", cut, "--force", database_url=fresh_url).complaint

    # A restore that fails half-way ends in what was there before.
    for statement in NO_ROOM:
        sql(fresh_url, statement)
    assert "no room" in run("restore", file, "--force", database_url=fresh_url).complaint
    assert sql(fresh_url, "SELECT count(*) FROM players")[0][0] == 1
    sql(fresh_url, "DROP EVENT TRIGGER no_room")

    assert run("restore", file, "--force", database_url=fresh_url).code == 0
    assert sql(fresh_url, "SELECT count(*) FROM players")[0][0] == 5
    assert sql(fresh_url, f"SELECT to_regclass('later')::text, to_regnamespace('{ASIDE}')::text")[0] == (None, None)


BROKEN = "DELETE FROM tortoise_migrations WHERE name > '0001_initial'"  # whose tables are there
NEWER = "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('models', '9999_future', now())"
ELSES = "DROP TABLE tortoise_migrations"


@pytest.mark.parametrize(
    ("change", "words"),
    [(ELSES, "none of Laurel's"), (NEWER, "newer version.*9999_future"), (BROKEN, "already exists")],
)
def test_a_dump_that_this_version_cannot_use_replaces_nothing(
    run: Run, played: Mapping[str, str], fresh_url: str, tmp_path: Path, change: str, words: str
):
    file = tmp_path / "other"
    assert run("migrate", database_url=fresh_url).code == 0
    sql(fresh_url, change)
    Programs.for_server(18).dump(fresh_url, file, lambda: None)
    before = sql(played["LAUREL_DATABASE_URL"], "SELECT count(*) FROM ledger")
    assert re.search(words, run("restore", file, "--force").complaint)
    assert before[0][0] > 0
    assert sql(played["LAUREL_DATABASE_URL"], "SELECT count(*) FROM ledger") == before
    assert run("migrate", "--check").code == 0


def test_a_restore_that_was_killed_is_taken_back(run: Run, played: Mapping[str, str], fresh_url: str, tmp_path: Path):
    file = tmp_path / "laurel.backup"
    assert run("backup", file).code == 0
    assert run("migrate", database_url=fresh_url).code == 0
    sql(fresh_url, "INSERT INTO players (id) VALUES (gen_random_uuid())")
    sql(fresh_url, f"ALTER SCHEMA public RENAME TO {ASIDE}")
    sql(fresh_url, "CREATE SCHEMA public")
    # Tables made in its place would be taken for the restored ones.
    assert "a restore was killed" in run("migrate", database_url=fresh_url).complaint
    assert "is not empty" in run("restore", file, database_url=fresh_url).complaint
    assert sql(fresh_url, "SELECT count(*) FROM public.players")[0][0] == 1


@pytest.mark.parametrize("command", [("migrate", "--check"), ("backup", "file"), ("audit", "verify"), ("rebuild",)])
def test_nobody_works_on_a_restore_that_was_killed_when_all_but_done(
    run: Run, fresh_url: str, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What came back is in place, and what was there before still stands aside."""
    monkeypatch.chdir(tmp_path)
    assert run("migrate", database_url=fresh_url).code == 0
    sql(fresh_url, f"CREATE SCHEMA {ASIDE}")
    assert "a restore was killed" in run(*command, database_url=fresh_url).complaint
    told = run("doctor", database_url=fresh_url)
    assert (told.code, "a restore was killed" in told.out, "does not answer" in told.out) == (1, True, False)


def test_a_restore_that_is_interrupted_is_taken_back(
    run: Run, played: Mapping[str, str], fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)  # Ctrl-C reaches pg_restore too, which ends
        raise DumpError("pg_restore: error: canceling statement due to user request")

    file = tmp_path / "laurel.backup"
    assert run("backup", file).code == 0
    assert run("migrate", database_url=fresh_url).code == 0
    sql(fresh_url, "INSERT INTO players (id) VALUES (gen_random_uuid())")
    monkeypatch.setattr(Programs, "restore", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may ignore it
    try:
        assert run("restore", file, "--force", database_url=fresh_url).code == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert sql(fresh_url, "SELECT count(*) FROM players")[0][0] == 1
    assert sql(fresh_url, f"SELECT to_regnamespace('{ASIDE}')::text")[0][0] is None


def test_what_is_set_for_other_programs_leads_nowhere_else(
    run: Run, played: Mapping[str, str], fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    elsewhere = {
        "PGHOSTADDR": "192.0.2.1",
        "PGSERVICE": "none",
        "PGOPTIONS": "-c search_path=none",
        "PGDATABASE": "none",
    }
    for name, value in elsewhere.items():
        monkeypatch.setenv(name, value)
    assert run("backup", tmp_path / "file").code == 0
    assert run("restore", tmp_path / "file", database_url=fresh_url).code == 0


def test_a_url_without_a_database_means_the_same_one_as_for_pods(postgres_url: str, tmp_path: Path):
    url, table = postgres_url.rpartition("/")[0], f"test_{uuid4().hex}"
    file, listed = tmp_path / "file", tmp_path / "listed"
    programs = Programs.for_server(18)
    assert credentials(url)["database"] != credentials(postgres_url)["database"]
    sql(f"{url}/postgres", f"CREATE TABLE {table} (n int)")
    try:
        programs.dump(url, file, lambda: None)
    finally:
        sql(f"{url}/postgres", f"DROP TABLE {table}")
    subprocess.run([programs.folder / "pg_restore", "--list", "--file", listed, file], check=True)
    assert table in listed.read_text()


@pytest.mark.parametrize("query", ["sslrootcert={}", "sslrootcert={}&sslmode=disable"])
def test_a_named_root_of_trust_demands_tls_as_it_does_of_pods(postgres_url: str, query: str, tmp_path: Path):
    root, _ = certificate(tmp_path)
    with pytest.raises(DumpError, match="SSL"):
        Programs.for_server(18).dump(f"{postgres_url}?{query.format(root)}", tmp_path / "file", lambda: None)


def test_pods_that_run_are_in_the_way(run: Run, played: Mapping[str, str], tmp_path: Path):
    file = tmp_path / "laurel.backup"
    assert run("backup", file).code == 0

    # What a pod's pools look like from the database.
    connect = asyncpg.connect(played["LAUREL_DATABASE_URL"], server_settings={"application_name": "laurel"})
    with asyncio.Runner() as runner:
        connection = runner.run(connect)
        try:
            assert "pods are connected" in run("restore", file, "--force").complaint
        finally:
            runner.run(connection.close())


def test_wrong_files_are_one_line(run: Run, tmp_path: Path):
    assert "cannot read" in run("restore", tmp_path / "none").complaint
    (tmp_path / "text").write_text("no dump")
    assert "pg_restore" in run("restore", tmp_path / "text").complaint
    assert "cannot write" in run("backup", tmp_path / "none" / "file").complaint
    for folder in (tmp_path, "."):  # said before a minute is spent on it
        assert "it is a folder" in run("backup", folder, database_url="postgresql://nobody@127.0.0.1:1/x").complaint
    assert run("backup").code == 2
