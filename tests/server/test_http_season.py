"""A season from its start to a void after its end, over HTTP: its result is frozen, revised, and both are kept."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from models.database import Database
from server.keys import parse_jwt_keys
from tests.caller import Caller, assert_problem, minted
from tests.laurel_process import until
from tests.pods import migrated, simple_catalogue
from tests.served import ServedPod, secrets
from tests.shifted_clock import ShiftedClock

REDIS_NUMBER = 11
SEASON_SECONDS = 7
"""Long enough to define the board and to play."""
LATER_MS = 60_000
BOARD = "/api/v1/boards/cup"


@pytest.fixture
async def environ(database_url: str, redis_url: str) -> dict[str, str]:
    """A database whose clock the test moves, and a Redis of one's own."""
    await (await migrated(database_url, simple_catalogue({"sprint": 10}))).close()
    await ShiftedClock.install(database_url)
    url = f"{redis_url.rpartition('/')[0]}/{REDIS_NUMBER}"
    with Redis.from_url(url) as store:
        store.flushdb()
    own = {"LAUREL_DATABASE_URL": database_url, "LAUREL_REDIS_URL": url, "LAUREL_LOAD_TEST": "true"}
    return secrets() | own


@pytest.fixture
def players(environ: dict[str, str], tmp_path: Path) -> list[dict[str, Any]]:
    """Three who played while the season was on; their pod has stopped since."""
    with ServedPod(tmp_path, environ) as pod:
        pod.await_ready()
        with Caller(pod.url) as nobody:
            account = {"password": "correct horse"}
            made = [
                nobody.post("/api/v1/auth/register", account | {"username": f"p{uuid4().hex[:20]}"}).json()
                for _ in range(3)
            ]
        now = datetime.now(UTC)
        season = {
            "id": "spring",
            "start": now.isoformat(),
            "end": (now + timedelta(seconds=SEASON_SECONDS)).isoformat(),
        }
        rules = {"boardId": "cup", "title": "Cup", "fold": "sum", "window": "season", "season": season}
        with Caller(pod.url, admin_token(environ, made[0])) as admin:
            assert admin.post("/api/v1/admin/boards", rules).status_code == 201
        for times, session in enumerate(made, start=1):
            with Caller(pod.url, session["accessToken"]) as caller:
                for _ in range(times):
                    assert caller.redeem(caller.issue("sprint")["ticket"]).status_code == 200
        assert datetime.now(UTC) < now + timedelta(seconds=SEASON_SECONDS), "the season was over too soon"
    return [session | {"id": session["user"]["userId"]} for session in made]


def admin_token(environ: dict[str, str], session: dict[str, Any]) -> str:
    return minted(parse_jwt_keys(environ["LAUREL_JWT_KEYS"])[-1], session["user"]["userId"], role="admin")


async def later(database_url: str) -> None:
    """Makes it a minute later for everybody who asks the database."""
    database = Database(database_url)
    await database.open()
    await ShiftedClock(database).advance(LATER_MS)
    await database.close()


async def test_a_void_after_the_end_makes_a_revision_and_the_old_one_stays(
    environ: dict[str, str], players: list[dict[str, Any]], database_url: str, tmp_path: Path
):
    await later(database_url)
    first, second, third = (player["id"] for player in players)
    with ServedPod(tmp_path, environ) as pod:
        pod.await_ready()
        with Caller(pod.url, admin_token(environ, players[0])) as admin:

            def shown(query: str = "") -> list[tuple[str, int]]:
                answer = admin.http.get(f"{BOARD}/top?period=spring{query}")
                assert answer.status_code == 200, answer.text
                return [(row["userId"], row["score"]) for row in answer.json()["entries"]]

            def revision() -> int:
                entries = admin.http.get(f"{BOARD}/periods").json()["entries"]
                return entries[0]["revision"] if entries else 0

            assert_problem(admin.http.get(f"{BOARD}/top"), 404, "not_found")
            original = [(third, 30), (second, 20), (first, 10)]
            assert shown() == original, "before there is a result, the standings say it"
            until(revision)
            assert (shown(), shown("&revision=1"), revision()) == (original, original, 1)
            (entry, *_) = admin.http.get(f"/api/v1/admin/ledger?userId={third}").json()["entries"]
            for entry_id in (entry["entryId"], entry["entryId"]):
                void = admin.post(f"/api/v1/admin/entries/{entry_id}/void", {"reason": "found out"})
                assert void.status_code == 200
            until(lambda: revision() == 2)
            # Equal now; the one of the void reached it later, or with the same millisecond has the lesser id.
            assert sorted(shown()) == sorted([(third, 20), (second, 20), (first, 10)])
            assert shown("&revision=1") == original
            ranks = [
                admin.http.get(f"{BOARD}/users/{third}?period=spring{query}").json()["score"]
                for query in ("", "&revision=1", "&revision=2")
            ]
            assert ranks == [20, 30, 20]
            ban = admin.http.put(f"/api/v1/admin/users/{second}/ban", json={"reason": "found out"})
            assert ban.status_code == 200, "a ban is no void: what was won stays"
            assert revision() == 2


async def test_each_region_has_a_board_and_nobody_makes_one(environ: dict[str, str], tmp_path: Path):
    with ServedPod(tmp_path, environ | {"LAUREL_REGIONS": "eu,us"}) as pod:
        pod.await_ready()
        ids = {}
        with Caller(pod.url) as nobody:
            for region in ("eu", "us", "mars"):
                account = {"username": f"p{uuid4().hex[:20]}", "password": "correct horse", "region": region}
                session = nobody.post("/api/v1/auth/register", account).json()
                ids[region] = session["user"]["userId"]
                with Caller(pod.url, session["accessToken"]) as caller:
                    sprint = caller.issue("sprint")["ticket"]
                    assert caller.redeem(sprint).status_code == 200
                    # What counted for a region stays there when its player moves on.
                    assert caller.http.patch("/api/v1/me", json={"region": "us"}).status_code == 200
            boards = {board["boardId"]: board for board in nobody.http.get("/api/v1/boards").json()["boards"]}
            assert {name for name in boards if name.startswith("region-")} == {"region-eu", "region-us"}
            for region in ("eu", "us"):
                assert boards[f"region-{region}"]["filter"] == {"actions": None, "region": region, "group": None}

                def shown(region: str = region) -> list[str]:
                    page = nobody.http.get(f"/api/v1/boards/region-{region}/top").json()
                    return [row["userId"] for row in page["entries"]]

                until(lambda region=region, shown=shown: shown() == [ids[region]], 10)
