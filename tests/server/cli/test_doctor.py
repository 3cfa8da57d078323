"""`laurel doctor`: what is well, what is weak, and what makes it fail."""

import asyncio
import base64
import json
import socket
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from threading import Thread

import pytest
from redis import Redis

from actors.keys import LINEAGE_KEY
from server.doctor import configuration, pods, stores
from server.doctor.finding import Level
from server.settings import Settings
from tests.laurel_process import LaurelProcess
from tests.server.cli.conftest import Run
from tests.server.cli.test_backup import KEYS, play, sql


def texts(out: str, level: str) -> list[str]:
    return [f"{found['topic']}: {found['text']}" for found in json.loads(out)["findings"] if found["level"] == level]


@pytest.fixture(scope="module")
def played(environ: Mapping[str, str]) -> Mapping[str, str]:
    with Redis.from_url(environ["LAUREL_REDIS_URL"]) as redis:
        redis.flushdb()  # boards of other modules' players
    asyncio.run(play(environ["LAUREL_DATABASE_URL"], environ["LAUREL_REDIS_URL"], 5, 3))
    return environ


@pytest.fixture
def planted(played: Mapping[str, str]) -> Iterator[str]:
    """The database of a deployment, put right again afterwards."""
    url = played["LAUREL_DATABASE_URL"]
    sql(url, "CREATE TABLE kept AS SELECT * FROM standings")
    yield url
    sql(url, "TRUNCATE standings")
    sql(url, "INSERT INTO standings SELECT * FROM kept")
    sql(url, "DROP TABLE kept")


def test_a_sound_deployment_is_healthy(run: Run, played: Mapping[str, str]):
    result = run("doctor")
    assert result.code == 0, result.out
    assert {line.split()[0] for line in result.lines} <= {"ok", "weak"}
    for words in (
        "all applied",
        "fsync on",
        "months of the ledger",
        "standings: 0 of 15 samples differ",
        "redis: 0 of",
    ):
        assert words in result.out
    assert json.loads(run("doctor", "--json").out)["healthy"] is True


def test_divergence_is_told_and_left_as_it_is(run: Run, planted: str):
    sql(planted, "UPDATE standings SET score = score + 1")
    for _ in range(2):
        result = run("doctor", "--json")
        assert result.code == 1
        assert texts(result.out, "wrong") == ["divergence: standings: 15 of 15 samples differ"]


def test_a_board_that_redis_has_wrong_is_told(run: Run, played: Mapping[str, str]):
    sql(played["LAUREL_DATABASE_URL"], "UPDATE players SET last_at = last_at - interval '1 hour' WHERE version > 0")
    with Redis.from_url(played["LAUREL_REDIS_URL"], decode_responses=True) as redis:
        epoch = redis.get("laurel:{global/1:all}:epoch")
        rank = f"laurel:{{global/1:all}}:{epoch}:rank"
        member = redis.zrange(rank, 0, 0)[0]
        redis.zincrby(rank, 7, member)
        assert any("redis: " in text for text in texts(run("doctor", "--json").out, "wrong"))
        redis.zincrby(rank, -7, member)
    sql(played["LAUREL_DATABASE_URL"], "UPDATE players SET last_at = last_at + interval '1 hour' WHERE version > 0")
    assert run("doctor").code == 0


def test_marks_that_stand_still_while_pods_work_are_wrong(run: Run, played: Mapping[str, str]):
    url = played["LAUREL_DATABASE_URL"]
    sql(url, "INSERT INTO marks VALUES ('standings', now() - interval '10 minutes')")
    assert run("doctor").code == 0
    sql(url, "INSERT INTO leases VALUES ('repair', 'pod', now() + interval '1 minute')")
    (text,) = texts(run("doctor", "--json").out, "wrong")
    assert text.startswith("standings: complete up to 60")
    sql(url, "DELETE FROM leases")
    sql(url, "DELETE FROM marks")


def test_schemas_of_other_versions_are_wrong(run: Run, played: Mapping[str, str]):
    url = played["LAUREL_DATABASE_URL"]
    sql(url, "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('models', '9999_later', now())")
    (text,) = texts(run("doctor", "--json").out, "wrong")
    assert text == "migrations: applied by a newer Laurel: 9999_later"
    sql(url, "DELETE FROM tortoise_migrations WHERE name = '9999_later'")
    empty = f"{url.rpartition('/')[0]}/postgres"
    assert any(
        "missing: 0001_initial" in text for text in texts(run("doctor", "--json", database_url=empty).out, "wrong")
    )


def test_servers_that_are_away_are_wrong(run: Run, played: Mapping[str, str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run("doctor", redis_url=f"redis://127.0.0.1:{port}/0")
    assert (result.code, "wrong  redis" in result.out) == (1, True)
    result = run("doctor", database_url=f"postgresql://x@127.0.0.1:{port}/x")
    assert (result.code, "wrong  postgresql" in result.out) == (1, True)
    assert "migrations" not in result.out, "nobody knows"


def test_running_pods_are_asked(laurel: LaurelProcess):
    findings = json.loads(laurel.run("doctor", "--json"))["findings"]
    assert any("LAUREL_LOAD_TEST is on" in found["text"] for found in findings)
    asked = [found["text"] for found in findings if found["topic"] == "pods"]
    assert len(asked) == len(laurel.urls)
    assert all(text.endswith("is ready") for text in asked)
    assert len([found for found in findings if found["topic"] == "clock"]) == 1 + len(laurel.urls)


def test_a_pod_that_is_named_is_asked(run: Run, laurel: LaurelProcess, played: Mapping[str, str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    result = run("doctor", "--pod", laurel.urls[0] + "/", "--pod", nobody)
    assert result.code == 1
    (ready,) = [line for line in result.lines if line.endswith(f"{laurel.urls[0]} is ready")]
    assert ready.startswith("ok ")
    (away,) = [line for line in result.lines if f"{nobody} does not answer" in line]
    assert away.startswith("wrong ")


@pytest.mark.parametrize("body", [b"[]", b'{"missing": 1}', b"\xff"])
def test_who_is_named_and_is_no_pod_is_wrong_beside_everything_else(run: Run, played: Mapping[str, str], body: bytes):
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        Thread(target=server.serve_forever).start()
        result = run("doctor", "--pod", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert result.code == 1
    (line,) = [line for line in result.lines if "does not answer" in line]
    assert line.startswith("wrong  pods")
    assert any(line.startswith("ok     redis") for line in result.lines)


def test_boards_of_another_history_are_told(run: Run, played: Mapping[str, str]):
    with Redis.from_url(played["LAUREL_REDIS_URL"]) as redis:
        redis.set(LINEAGE_KEY, "another/00000001/1 0")
        (text,) = [text for text in texts(run("doctor", "--json").out, "weak") if text.startswith("history")]
        assert "before a restore" in text
        redis.delete(LINEAGE_KEY)
    assert "history" not in run("doctor").out


PAGE = f"""laurel_build_info{{version="{version("laurel")}"}} 1.0
laurel_restarts_total{{loop="auditor"}} 0.0
laurel_divergences_total{{store="redis"}} 0.0
laurel_pool_connections_used{{pool="hot"}} 1.0
laurel_pool_connections_limit{{pool="hot"}} 5.0
laurel_clock_offset_seconds 0.01
"""


@pytest.mark.parametrize(
    ("line", "level", "words"),
    [
        ('laurel_build_info{version="0.0.9"} 1.0', Level.WEAK, "runs version 0.0.9"),
        ('laurel_restarts_total{loop="auditor"} 2.0', Level.WEAK, "had to restart loops since it began: auditor 2"),
        ("laurel_user_actor_crashes_total 1.0", Level.WEAK, "actors that raised since it began: 1"),
        ('laurel_divergences_total{store="redis"} 3.0', Level.WEAK, "redis 3"),
        ("laurel_rollbacks_total 1.0", Level.WEAK, "behind a checkpoint"),
        ("laurel_checkpoint_failures_total 7.0", Level.WEAK, "could not write checkpoints since it began: 7"),
        ('laurel_pool_connections_used{pool="hot"} 5.0', Level.WEAK, "all 5 connections of its pool hot"),
        ("laurel_clock_offset_seconds 0.7", Level.WEAK, "was -700 ms"),
        ("laurel_clock_offset_seconds -6.0", Level.WRONG, "was +6000 ms"),
    ],
)
def test_what_a_pod_counts_is_told(line: str, level: Level, words: str):
    assert {finding.level for finding in pods.counted("pod", PAGE)} == {Level.OK}
    name = line.partition("{")[0].partition(" ")[0]
    page = "".join(f"{one}\n" for one in PAGE.splitlines() if not one.startswith(name)) + f"{line}\n"
    if name.endswith("_used"):
        page += 'laurel_pool_connections_limit{pool="hot"} 5.0\n'
    (finding,) = [one for one in pods.counted("pod", page) if one.level is not Level.OK]
    assert (finding.level, words in finding.text) == (level, True), finding.text


def settings(**values: str) -> Settings:
    keys = {"ticket_keys": KEYS.replace("a:", "t:", 1)}
    given = {f"LAUREL_{name.upper()}": value for name, value in (keys | values).items()}
    return Settings.from_mapping(given)


FLAT = base64.urlsafe_b64encode(b"0123" * 8).decode().rstrip("=")


@pytest.mark.parametrize(
    ("values", "level", "words"),
    [
        ({}, Level.WEAK, "RECEIPT_KEYS is not set"),
        ({"rate_limit_login": "100/second"}, Level.WEAK, "lets 6,000 passwords a minute"),
        ({"proof_tries": "10"}, Level.WEAK, "PROOF_TRIES is 10"),
        ({"load_test": "true"}, Level.WEAK, "LOAD_TEST is on"),
        ({"host": "0.0.0.0"}, Level.WEAK, "ORIGINS is not set"),
        ({"host": "0.0.0.0"}, Level.WEAK, "trust no proxy"),
        ({"access_ttl_seconds": "90000"}, Level.WEAK, "live 90000 s"),
        ({"audit_keys": KEYS}, Level.WRONG, "is also one of LAUREL_TICKET_KEYS"),
        ({"audit_keys": f"f:{FLAT}"}, Level.WRONG, "not of chance"),
        ({}, Level.WRONG, "LAUREL_AUDIT_KEYS is not set"),
        ({"database_url": "postgresql://me@db/x?sslmode=require"}, Level.WEAK, "DATABASE_URL has no password"),
        ({"database_url": "postgresql://me:pw@db/x"}, Level.WEAK, "does not demand TLS"),
        ({"redis_url": "redis://:pw@cache/0"}, Level.WEAK, "not encrypted"),
        ({"redis_url": "rediss://cache/0"}, Level.WEAK, "REDIS_URL has no password"),
    ],
)
def test_weak_settings_are_named(values: dict[str, str], level: Level, words: str):
    found = list(configuration.examine(settings(**values)))
    assert any(finding.level is level and words in finding.text for finding in found), found


ROW = {
    "server_version": "18.1",
    "version_number": 180001,
    "in_recovery": False,
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "data_checksums": "on",
    "max_connections": 100,
    "superuser": False,
    "connections": 10,
    "own": 5,
    "active": 1,
    "stuck": 0,
    "partitions": 14,
    "months_ahead": 12,
    "other_rows": 0,
}
INFO = {
    "redis_version": "7.2.1",
    "used_memory": 50,
    "maxmemory": 100,
    "maxmemory_policy": "noeviction",
    "role": "master",
}


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({"version_number": 130000}, Level.WRONG, "14 is the least"),
        ({"in_recovery": True}, Level.WRONG, "replica"),
        ({"fsync": "off"}, Level.WRONG, "destroy"),
        ({"synchronous_commit": "off"}, Level.WRONG, "acknowledged"),
        ({"autovacuum": "off"}, Level.WRONG, "grows"),
        ({"data_checksums": "off"}, Level.WEAK, "failing disk"),
        ({"superuser": True}, Level.WEAK, "superuser"),
        ({"connections": 85}, Level.WEAK, "85 of 100"),
        ({"connections": 97}, Level.WRONG, "97 of 100"),
        ({"stuck": 1}, Level.WRONG, "open for a minute"),
        ({"months_ahead": 0}, Level.WRONG, "0 ahead"),
        ({"other_rows": 3}, Level.WEAK, "outside of every month"),
    ],
)
def test_every_fault_of_postgresql_is_named(changed: dict[str, object], level: Level, words: str):
    sound = [*stores.server_findings(ROW), *stores.ledger_findings(ROW)]
    assert {finding.level for finding in sound} == {Level.OK}
    found = [*stores.server_findings(ROW | changed), *stores.ledger_findings(ROW | changed)]
    (finding,) = [finding for finding in found if finding.level is not Level.OK]
    assert (finding.level, words in finding.text) == (level, True)


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({"redis_version": "6.0.16"}, Level.WRONG, "6.2 is the least"),
        ({"maxmemory_policy": "allkeys-lru"}, Level.WEAK, "evicted"),
        ({"used_memory": 90}, Level.WEAK, "in use"),
        ({"role": "slave"}, Level.WRONG, "replica"),
    ],
)
def test_every_fault_of_redis_is_named(changed: dict[str, object], level: Level, words: str):
    assert {finding.level for finding in stores.redis_findings(INFO)} == {Level.OK}
    (finding,) = [one for one in stores.redis_findings(INFO | changed) if one.level is not Level.OK]
    assert (finding.level, words in finding.text) == (level, True)
