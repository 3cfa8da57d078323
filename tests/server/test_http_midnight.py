"""A day ends while people watch: the new one starts with a snapshot for each of them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from redis import Redis
from websockets.sync.client import connect

from models.database import Database
from tests.caller import Caller
from tests.laurel_process import until
from tests.pods import migrated, simple_catalogue
from tests.served import ServedPod, secrets
from tests.shifted_clock import ShiftedClock

REDIS_NUMBER = 12
POINTS = 10
LEADS_SECONDS = (5, 15, 45)
"""From before a pod starts to midnight; on a machine that is too slow for one there is another night."""
SECONDS = 60

Frames = Callable[[], dict[str, Any]]


@pytest.fixture
async def environ(database_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """A database whose clock the test moves, and a Redis of one's own."""
    await (await migrated(database_url, simple_catalogue({"sprint": POINTS}))).close()
    await ShiftedClock.install(database_url)
    url = f"{redis_url.rpartition('/')[0]}/{REDIS_NUMBER}"
    with Redis.from_url(url) as store:
        store.flushdb()
    own = {"LAUREL_DATABASE_URL": database_url, "LAUREL_REDIS_URL": url, "LAUREL_DATA": str(tmp_path)}
    return secrets() | own


async def evening(database_url: str, lead_seconds: float) -> tuple[str, str]:
    """Makes it so long before midnight for the pod that starts next; the day and the day after."""
    database = Database(database_url)
    await database.open()
    now = (await database.rows("SELECT clock_timestamp() AS now"))[0]["now"].astimezone(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    await ShiftedClock(database).advance(int((midnight - now).total_seconds() * 1000 - lead_seconds * 1000))
    await database.close()
    return str(now.date()), str(midnight.date())


@contextmanager
def socket(url: str) -> Iterator[Frames]:
    with connect(f"{url.replace('http', 'ws', 1)}/api/v1/live?board=daily", proxy=None) as ws:
        yield lambda: json.loads(ws.recv(timeout=SECONDS))


@contextmanager
def stream(url: str) -> Iterator[Frames]:
    path = f"{url}/api/v1/live/events?board=daily"
    with httpx.stream("GET", path, timeout=SECONDS, trust_env=False) as response:
        frames = (json.loads(line[5:]) for line in response.iter_lines() if line.startswith("data:"))
        yield lambda: next(frames)


async def test_a_new_day_starts_with_a_snapshot_for_those_who_watch(
    environ: dict[str, str], database_url: str, tmp_path: Path
):
    for lead in LEADS_SECONDS:
        days = await evening(database_url, lead)
        with ServedPod(tmp_path, environ) as pod:
            pod.await_ready()
            if watched_over_midnight(pod.url, *days):
                return
    raise AssertionError("midnight always came before the viewers")


def watched_over_midnight(url: str, today: str, tomorrow: str) -> bool:
    """Looks at what two viewers get of a midnight; false when they came too late for it."""
    account = {"username": f"p{uuid4().hex[:20]}", "password": "correct horse"}
    session = httpx.post(f"{url}/api/v1/auth/register", json=account, trust_env=False).json()
    with Caller(url, session["accessToken"]) as caller:
        sprint(caller)
        until(lambda: is_shown(caller, today))
        with socket(url) as ws, stream(url) as sse:
            before = [frames() for frames in (ws, sse)]
            if {frame["period"] for frame in before} != {today}:
                return False
            snapshots = [first_of(frames, tomorrow) for frames in (ws, sse)]
            assert snapshots[0] == snapshots[1]
            sprint(caller)
            deltas = [ws(), sse()]
    (snapshot, _), (delta, _) = snapshots, deltas
    assert (snapshot["type"], snapshot["data"]["entries"]) == ("leaderboard.snapshot", [])
    assert snapshot["epoch"] != before[0]["epoch"]
    assert deltas[0] == deltas[1]
    assert (delta["type"], delta["period"]) == ("leaderboard.update", tomorrow)
    assert (delta["epoch"], delta["previous"]) == (snapshot["epoch"], snapshot["version"])
    rows = [(row["userId"], row["score"], row["rank"]) for row in delta["data"]["updatedPositions"]]
    assert rows == [(session["user"]["userId"], POINTS, 1)]
    return True


def sprint(caller: Caller) -> None:
    assert caller.redeem(caller.issue("sprint")["ticket"]).status_code == 200


def is_shown(caller: Caller, today: str) -> bool:
    """Whether somebody is on the day's board, or the day is over."""
    page = caller.http.get("/api/v1/boards/daily/top").json()
    return bool(page["entries"]) or page["period"] != today


def first_of(frames: Frames, day: str) -> dict[str, Any]:
    """The first frame of a day."""
    while (frame := frames())["period"] != day:
        pass
    return frame
