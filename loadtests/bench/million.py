"""`python -m loadtests.bench.million`: a million players on one board; what reads and rebuilding it cost."""

import argparse
import http.client
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from redis import Redis

from loadtests.bench import fill
from loadtests.bench.stage import Stage

PLAYERS = 1_000_000
READS = 1_500
DATABASE = "million"
ADD = """
INSERT INTO players (id) SELECT uuidv7() FROM generate_series(1, $1::int)
"""
ACCOUNTS = """
INSERT INTO accounts (user_id, username, username_key, display_name)
SELECT id, 'player-' || n, 'player-' || n, 'player-' || n FROM (SELECT id, row_number() OVER () AS n FROM players) AS p
ON CONFLICT DO NOTHING
"""
SPREAD = 65_535
"""All have one entry; scores that differ, with many ties, are what reads are about."""


class Reader:
    """One connection to a pod, one request after the other."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def get(self, path: str) -> bytes:
        """The body of an answer of 200."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return body


def main() -> int:
    """Prints one `what<TAB>value` a line."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench.million")
    parser.add_argument("--players", type=int, default=PLAYERS)
    players = parser.parse_args().players
    with Stage(Path(tempfile.mkdtemp(prefix="laurel-million-")), 1) as stage, stage.fresh(DATABASE):
        began = time.monotonic()
        stage.rows(DATABASE, ADD, players)
        stage.rows(DATABASE, ACCOUNTS)
        fill.prepare(stage, DATABASE)
        stage.rows(DATABASE, "DELETE FROM boards WHERE board_id <> 'global'")
        stage.rows(DATABASE, "SELECT bench_fill($1, $2)", players, SPREAD)
        stage.script(DATABASE, "ANALYZE")
        stage.rows(DATABASE, "VACUUM")
        _say("filled the database", f"{time.monotonic() - began:.0f} s")
        _measure(stage, players)
    return 0


def _measure(stage: Stage, players: int) -> None:
    with Redis.from_url(stage.environ(DATABASE)["LAUREL_REDIS_URL"]) as redis:
        empty = redis.info("memory")["used_memory"]
        began = time.monotonic()
        with stage.pods(DATABASE) as (pod,):
            _say("start of a pod to a rebuilt board", f"{time.monotonic() - began:.1f} s")
            used = redis.info("memory")["used_memory"] - empty
            _say("memory of Redis", f"{used / 2**20:.0f} MiB, {used / players:.0f} bytes a player")
            _read(Reader(pod.url), players, _ids(stage))


def _ids(stage: Stage) -> list[str]:
    rows = stage.rows(DATABASE, "SELECT user_id::text FROM standings TABLESAMPLE BERNOULLI (1) LIMIT 3000")
    return [row["user_id"] for row in rows]


def _read(reader: Reader, players: int, ids: Sequence[str]) -> None:
    base = "/api/v1/boards/global"
    cursors = [msgspec.json.decode(reader.get(f"{base}/top?limit=100"))["next"]]
    for _ in range(200):
        cursors.append(msgspec.json.decode(reader.get(f"{base}/top?limit=100&cursor={cursors[-1]}"))["next"])
    choose = random.choice
    _timed("top 10", lambda: reader.get(f"{base}/top"))
    _timed("a page of 100 further down", lambda: reader.get(f"{base}/top?limit=100&cursor={choose(cursors)}"))
    _timed("rank of a random player", lambda: reader.get(f"{base}/users/{choose(ids)}"))
    _timed("11 around a random player", lambda: reader.get(f"{base}/around/{choose(ids)}"))


def _timed(what: str, read: Callable[[], object]) -> None:
    times = []
    for _ in range(READS):
        began = time.perf_counter()
        read()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    _say(what, f"p50 {times[READS // 2]:.2f} ms, p99 {times[READS * 99 // 100]:.2f} ms")


def _say(what: str, value: str) -> None:
    print(what, value, sep="\t", flush=True)


if __name__ == "__main__":
    sys.exit(main())
