"""Past periods: every read of a board, asked of a frozen result in each of its revisions."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from models.ranking import Row
from server.cursors import written
from tests.caller import Caller, assert_problem, fetch, player
from tests.laurel_process import LaurelProcess
from tests.server.test_http_boards import BOARDS, RESULT, defined, sprint

DAY = "2024-02-29"
FOREVER = 2**31 - 1
PLAYERS = """
UPDATE result_revisions v SET players = 12 - v.revision FROM results r WHERE r.id = v.result AND r.board_id = $1
"""


@dataclass
class Past:
    """A board with one past day, and who was on it: first the best of revision 1."""

    url: str
    database_url: str
    board: str
    users: list[str]
    caller: Caller
    admin: Caller

    def get(self, path: str, **query: object) -> httpx.Response:
        return self.caller.http.get(f"{self.url}/api/v1/boards/{self.board}/{path}", params=query)

    def rows(self, revision: int | None) -> list[dict[str, Any]]:
        """Every row of the result, in pages of three."""
        rows: list[dict[str, Any]] = []
        query = {"period": DAY, "limit": 3} | ({} if revision is None else {"revision": revision})
        while True:
            page = self.get("top", **query).json()
            assert (page["epoch"], page["version"], page["degraded"]) == ("result", revision or 2, False)
            rows += page["entries"]
            if page["next"] is None:
                return rows
            query["cursor"] = page["next"]


@pytest.fixture(scope="module")
def past(laurel: LaurelProcess) -> Iterator[Past]:
    """Eleven in revision 1, two of them equal; in revision 2 the caller is first, and the former second gone."""
    user_id, token = laurel.mint_admin()
    board = f"b-{uuid4().hex[:12]}"
    with Caller(laurel.urls[0], token, user_id) as admin, player(laurel, pod=1) as caller:
        defined(admin, board, window="day")
        sprint(caller)
        users = sorted((one for one, _ in laurel.mint_tokens(10)), reverse=True)
        scores = [90, 80, 70, 70, 60, 50, 40, 30, 20, 10]
        rows = [*zip(users, scores, strict=True), (caller.user_id, 5), (caller.user_id, 95)]
        since = [1] * 11 + [2]
        until = [FOREVER, 1, *[FOREVER] * 8, 1, FOREVER]
        values = ([user for user, _ in rows], [score for _, score in rows], since, until)
        # Equal scores were reached at the same time: the id decides.
        statement = RESULT.replace("1000 + s", "1000")
        days = (f"{DAY}T00:00:00Z", "2024-03-01T00:00:00Z")
        asyncio.run(fetch(laurel.config()["databaseUrl"], statement, board, DAY, *days, *values))
        asyncio.run(fetch(laurel.config()["databaseUrl"], PLAYERS, board))
        caller.http.put(f"/api/v1/me/friends/{users[0]}")
        caller.http.put(f"/api/v1/me/friends/{users[1]}")
        yield Past(laurel.urls[1], laurel.config()["databaseUrl"], board, [*users, caller.user_id], caller, admin)
        admin.http.delete(f"{BOARDS}/{board}")


@pytest.mark.parametrize("revision", [None, 1, 2])
def test_every_read_of_a_result_agrees_with_its_pages(past: Past, revision: int | None):
    rows = past.rows(revision)
    users = past.users
    expected = users if revision == 1 else [users[10], users[0], *users[2:10]]
    assert [row["userId"] for row in rows] == expected
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    query = {"period": DAY} | ({} if revision is None else {"revision": revision})
    tenth = rows[9]["score"]
    for number, row in enumerate(rows):
        place = past.get(f"users/{row['userId']}", **query).json()
        assert place["period"] == DAY
        assert (place["rank"], place["score"], place["totalUsers"]) == (number + 1, row["score"], len(rows))
        assert place["reachedAt"] == row["reachedAt"]
        assert place["percentile"] == 100 * (len(rows) - number - 1) / (len(rows) - 1)
        assert place["pointsToNextRank"] == (rows[number - 1]["score"] - row["score"] + 1 if number else None)
        assert place["pointsToTop10"] == (tenth - row["score"] + 1 if number >= 10 else 0)
        for radius in (1, 4, 50):
            page = past.get(f"around/{row['userId']}", radius=radius, **query).json()
            assert page["entries"] == rows[max(0, number - radius) : number + radius + 1]
            assert (page["epoch"], page["version"], page["totalUsers"]) == ("result", revision or 2, len(rows))
    chosen = [rows[7], rows[0], rows[3]]
    asked = {"userIds": [*(row["userId"] for row in chosen), str(uuid4())]}
    subset = past.caller.http.post(f"/api/v1/boards/{past.board}/subset", json=asked, params=query).json()
    assert subset["entries"] == sorted(chosen, key=lambda row: row["rank"])
    assert (subset["period"], subset["epoch"], subset["totalUsers"]) == (DAY, "result", len(rows))
    friends = past.get("friends", **query).json()
    own = [row for row in rows if row["userId"] in (users[0], users[1], users[10])]
    assert [(row["userId"], row["boardRank"]) for row in friends["entries"]] == [(r["userId"], r["rank"]) for r in own]
    assert [row["rank"] for row in friends["entries"]] == list(range(1, len(own) + 1))


def test_a_page_goes_on_where_one_of_the_running_period_ended(past: Past):
    rows = past.rows(2)
    for number, row in enumerate(rows):
        statement = "SELECT score, reached_at FROM result_rows WHERE user_id = $1 AND score = $2"
        (found,) = asyncio.run(fetch(past.database_url, statement, row["userId"], row["score"]))
        cursor = written(Row(row["userId"], found["score"], found["reached_at"]))
        page = past.get("top", period=DAY, cursor=cursor, limit=100).json()
        assert page["entries"] == rows[number + 1 :]
        assert page["next"] is None


def test_who_was_not_there_has_no_place(past: Past):
    gone = past.users[1]
    assert past.get(f"users/{gone}", period=DAY, revision=1).json()["rank"] == 2
    for path in (f"users/{gone}", f"around/{gone}"):
        assert_problem(past.get(path, period=DAY), 404, "not_found")
    present = past.get(f"users/{past.caller.user_id}").json()
    assert (present["score"], present["period"] == DAY) == (10, False)
    assert past.get(f"users/{past.caller.user_id}", period=present["period"]).json() == present


@pytest.mark.parametrize("path", ["top", "users/{}", "around/{}", "friends", "subset"])
def test_a_period_that_is_not_there_is_404_and_a_bad_revision_400(past: Past, path: str):
    path = path.format(past.caller.user_id)

    def ask(**query: object) -> httpx.Response:
        if path != "subset":
            return past.get(path, **query)
        return past.caller.http.post(f"/api/v1/boards/{past.board}/subset", json={"userIds": []}, params=query)

    for unknown in ("2024-02-30", "2019-01-01", "2124-01-01", "2024-W09", "all", "", "x'y", "\x00", "é", "9" * 500):
        assert_problem(ask(period=unknown), 404, "not_found")
    assert_problem(ask(period=DAY, revision=3), 404, "not_found")
    for bad in ("0", "-1", "x", "", "1.5", "9" * 20):
        assert_problem(ask(period=DAY, revision=bad), 400, "invalid_request")
    assert_problem(ask(revision=1), 400, "invalid_request")
    assert ask(period=DAY).status_code == 200


def test_the_pages_of_a_result_are_of_one_revision(past: Past):
    first = past.get("top", period=DAY, revision=1, limit=4).json()
    following = past.get("top", period=DAY, limit=4, cursor=first["next"]).json()
    assert following["version"] == 1
    assert [row["userId"] for row in following["entries"]] == past.users[4:8]
    tagged = past.get("top", period=DAY)
    again = past.caller.http.get(str(tagged.url), headers={"If-None-Match": tagged.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert past.get("top", period=DAY, revision=1).headers["etag"] != tagged.headers["etag"]
