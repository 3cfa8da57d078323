"""Boards as data: defined, filled, changed, frozen and deleted by admins, and read by everybody."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.caller import Caller, assert_problem, fetch, player
from tests.laurel_process import LaurelProcess, until
from tests.server.test_http_live import of_type, opened, received

BOARDS = "/api/v1/admin/boards"
POINTS = 10
"""What a sprint is worth."""


@pytest.fixture(scope="module")
def admin(laurel: LaurelProcess) -> Iterator[Caller]:
    user_id, token = laurel.mint_admin()
    with Caller(laurel.urls[0], token, user_id) as found:
        yield found


@pytest.fixture(scope="module")
def players(laurel: LaurelProcess) -> Iterator[list[Caller]]:
    """Twelve players with 1 to 12 sprints."""
    made = [player(laurel, pod=number % 3) for number in range(12)]
    for times, one in enumerate(made, start=1):
        for _ in range(times):
            sprint(one)
    yield made
    for one in made:
        one.http.close()


@pytest.fixture
def board(admin: Caller) -> Iterator[str]:
    """An id that is free, and gone afterwards."""
    name = f"b-{uuid4().hex[:12]}"
    yield name
    admin.http.delete(f"{BOARDS}/{name}")


def sprint(caller: Caller, action: str = "sprint") -> dict[str, Any]:
    answer = caller.redeem(caller.issue(action)["ticket"])
    assert answer.status_code == 200, answer.text
    return answer.json()


def rules(board: str | None = None, **more: Any) -> dict[str, Any]:
    named = {} if board is None else {"boardId": board}
    return named | {"title": "A board", "fold": "sum", "window": "all"} | more


def defined(admin: Caller, board: str, **more: Any) -> dict[str, Any]:
    answer = admin.post(BOARDS, rules(board, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


def top(url: str, board: str, query: str = "", token: str | None = None) -> dict[str, Any] | None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.get(f"{url}/api/v1/boards/{board}/top?limit=100{query}", headers=headers)
    return answer.json() if answer.status_code == 200 else None


def scores(page: dict[str, Any] | None) -> dict[str, int] | None:
    return None if page is None else {row["userId"]: row["score"] for row in page["entries"]}


def shown_on_all(laurel: LaurelProcess, board: str, expected: dict[str, int], seconds: float = 10) -> None:
    """That every pod comes to show exactly these players, from Redis."""
    for url in laurel.urls:

        def fits(url: str = url) -> bool:
            page = top(url, board)
            if page is None or page["degraded"]:
                return False
            found = scores(page) or {}
            return {user: found.get(user) for user in expected} == expected

        until(fits, seconds)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/global"),
        ("PUT", "/global"),
        ("DELETE", "/global"),
        ("PUT", "/global/freeze"),
        ("DELETE", "/global/freeze"),
    ],
)
def test_only_admins_may(players: list[Caller], laurel: LaurelProcess, method: str, path: str):
    assert_problem(players[0].http.request(method, BOARDS + path, json={}), 403, "forbidden")
    assert_problem(httpx.request(method, laurel.urls[0] + BOARDS + path, json={}), 401, "token_missing")


def test_where_nothing_is_asked_for_nothing_may_be_sent(admin: Caller, players: list[Caller], board: str):
    defined(admin, board)
    one = players[0]
    for caller, method, path in (
        (admin, "PUT", f"{BOARDS}/{board}/freeze"),
        (admin, "DELETE", f"{BOARDS}/{board}/freeze"),
        (admin, "DELETE", f"{BOARDS}/{board}"),
        (admin, "DELETE", f"/api/v1/admin/users/{one.user_id}/ban"),
        (one, "PUT", f"/api/v1/me/friends/{players[1].user_id}"),
        (one, "DELETE", f"/api/v1/me/friends/{players[1].user_id}"),
        (one, "PUT", "/api/v1/groups/red/members/me"),
        (one, "DELETE", "/api/v1/groups/red/members/me"),
    ):
        assert_problem(caller.http.request(method, path, json={"until": "tomorrow"}), 400, "invalid_request")
    assert admin.http.get(f"{BOARDS}/{board}").json()["frozen"] is False
    assert one.http.get("/api/v1/me/friends").json()["entries"] == []
    assert admin.http.request("DELETE", f"{BOARDS}/{board}", json={}).status_code == 204


def test_a_board_defined_today_is_full_when_it_is_answered(
    laurel: LaurelProcess, admin: Caller, players: list[Caller], board: str
):
    expected = {one.user_id: one.http.get("/api/v1/me").json()["score"] for one in players}
    answer = defined(admin, board, filter={"actions": ["sprint"]}, timeZone="Europe/Berlin")
    assert (answer["revision"], answer["frozen"], answer["topSize"], answer["visibility"]) == (1, False, 10, "public")
    found = scores(top(laurel.urls[0], board)) or {}
    assert {user: found.get(user) for user in expected} == expected
    shown_on_all(laurel, board, expected)
    for one in players[:3]:
        expected[one.user_id] = expected[one.user_id] + POINTS
        sprint(one)
    shown_on_all(laurel, board, expected, 2)
    (listed,) = [
        row for row in httpx.get(f"{laurel.urls[1]}/api/v1/boards").json()["boards"] if row["boardId"] == board
    ]
    assert listed["filter"] == {"actions": ["sprint"], "region": None, "group": None}
    assert admin.http.get(f"{BOARDS}/{board}").json() == answer
    assert answer in admin.http.get(BOARDS).json()["entries"]


def test_other_rules_refill_the_board_under_a_new_epoch(
    laurel: LaurelProcess, admin: Caller, players: list[Caller], board: str
):
    defined(admin, board)
    before = until(lambda: (page := top(laurel.urls[2], board)) and not page["degraded"] and page)
    with opened(laurel, f"?board={board}", pod=1) as ws:
        first = received(ws, of_type("leaderboard.snapshot"))
        answer = admin.http.put(f"{BOARDS}/{board}", json=rules(fold="best", title="The best", topSize=3))
        assert (answer.status_code, answer.json()["revision"]) == (200, 2)
        shown_on_all(laurel, board, {one.user_id: POINTS for one in players})
        after = received(ws, lambda m: m["type"] == "leaderboard.snapshot" and m["epoch"] != first["epoch"])
        assert len(after["data"]["entries"]) == 3  # others may stand there too: what they were awarded counts now
    assert (top(laurel.urls[2], board) or {})["epoch"] != before["epoch"]


def test_a_larger_top_is_shown_under_a_new_epoch(
    laurel: LaurelProcess, admin: Caller, players: list[Caller], board: str
):
    defined(admin, board, topSize=5)
    with opened(laurel, f"?board={board}", pod=2) as ws:
        first = received(ws, of_type("leaderboard.snapshot"))
        assert len(first["data"]["entries"]) == 5
        answer = admin.http.put(f"{BOARDS}/{board}", json=rules(topSize=11))
        assert answer.json()["revision"] == 1
        after = received(ws, lambda m: m["type"] == "leaderboard.snapshot" and m["epoch"] != first["epoch"])
        assert len(after["data"]["entries"]) == 11


def test_changes_while_it_is_refilled_count_once(
    laurel: LaurelProcess, admin: Caller, players: list[Caller], board: str
):
    defined(admin, board, filter={"actions": ["sprint"]})
    with player(laurel) as one, one.at(laurel.urls[1]) as there, one.at(laurel.urls[2]) as elsewhere:
        count = 0
        for fold in ("last", "sum", "best", "sum"):
            asked = rules(fold=fold, filter={"actions": ["sprint"]})
            with httpx.Client(headers=admin.http.headers, timeout=20) as client:
                url = f"{laurel.urls[0]}{BOARDS}/{board}"
                with asyncio.Runner() as runner:

                    async def both(client: httpx.Client = client, url: str = url, asked: dict[str, Any] = asked) -> int:
                        change = asyncio.create_task(asyncio.to_thread(client.put, url, json=asked))
                        times = 0
                        while not change.done():
                            pod = (one, there, elsewhere)[times % 3]
                            await asyncio.to_thread(sprint, pod)
                            times += 1
                        assert (await change).status_code == 200
                        return times

                    count += runner.run(both())
        shown_on_all(laurel, board, {one.user_id: POINTS * count}, 20)
        sprint(there)
        shown_on_all(laurel, board, {one.user_id: POINTS * (count + 1)}, 2)


@pytest.mark.parametrize(
    "more",
    [
        {"timeZone": "Mars/Olympus"},
        {"timeZone": "../etc/passwd"},
        {"window": "year"},
        {"fold": "mean"},
        {"title": ""},
        {"title": "x" * 201},
        {"topSize": 0},
        {"topSize": 101},
        {"visibility": "secret"},
        {"filter": {"actions": []}},
        {"filter": {"actions": ["A B"]}},
        {"filter": {"region": ""}},
        {"filter": {"colour": "red"}},
        {"season": {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}},
        {"window": "season", "season": {"start": "2026-02-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}},
        {"window": "season", "season": {"start": "0001-01-01T00:00:00", "end": "9999-12-31T23:59:59"}},
        {"window": "season", "season": {"start": "2026-01-01T00:00:00Z"}},
        {"boardId": "Not A Slug"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_what_breaks_a_rule_is_refused_and_changes_nothing(admin: Caller, board: str, more: dict[str, Any]):
    assert_problem(admin.post(BOARDS, rules(board) | more), 400, "invalid_request")
    assert_problem(admin.http.get(f"{BOARDS}/{board}"), 404, "not_found")


def test_a_filter_names_actions_that_there_are(admin: Caller, board: str):
    unknown = rules(filter={"actions": ["sprint", "no-such-action"]})
    assert_problem(admin.post(BOARDS, unknown | {"boardId": board}), 404, "action_unknown")
    assert_problem(admin.http.get(f"{BOARDS}/{board}"), 404, "not_found")
    defined(admin, board)
    assert_problem(admin.http.put(f"{BOARDS}/{board}", json=unknown), 404, "action_unknown")


def test_the_board_global_stays_what_it_is(admin: Caller):
    assert_problem(admin.http.delete(f"{BOARDS}/global"), 409, "conflict")
    assert_problem(admin.http.put(f"{BOARDS}/global", json=rules(fold="best")), 409, "conflict")
    assert_problem(admin.http.put(f"{BOARDS}/global", json=rules(visibility="hidden")), 409, "conflict")
    assert_problem(admin.http.put(f"{BOARDS}/global", json=rules(topSize=9)), 409, "conflict")
    assert_problem(admin.post(BOARDS, rules("global")), 409, "conflict")
    assert admin.http.put(f"{BOARDS}/global", json=rules(title="All time")).json()["revision"] == 1


@pytest.mark.alone
def test_a_deleted_board_is_gone_everywhere(laurel: LaurelProcess, admin: Caller, board: str):
    defined(admin, board)
    with opened(laurel, f"?board={board}", pod=2) as ws:
        received(ws, of_type("leaderboard.snapshot"))
        assert admin.http.delete(f"{BOARDS}/{board}").status_code == 204
        assert received(ws, of_type("error"))["code"] == "not_found"
    for url in laurel.urls:
        until(lambda url=url: httpx.get(f"{url}/api/v1/boards/{board}/top").status_code == 404, 2)
    assert_problem(admin.http.delete(f"{BOARDS}/{board}"), 404, "not_found")
    assert defined(admin, board)["revision"] == 2, "its old standings must not come back"


def test_a_hidden_board_is_for_admins(laurel: LaurelProcess, admin: Caller, players: list[Caller], board: str):
    defined(admin, board, visibility="hidden")
    for path in (f"/{board}/top", f"/{board}/users/{players[0].user_id}", f"/{board}/periods"):
        assert_problem(players[0].http.get(f"/api/v1/boards{path}"), 404, "not_found")
        assert admin.http.get(f"/api/v1/boards{path}").status_code == 200
    assert board not in players[0].http.get("/api/v1/boards").text
    assert board in admin.http.get("/api/v1/boards").text
    assert_problem(players[0].http.get(f"/api/v1/live/events?board={board}"), 404, "not_found")
    with opened(laurel, f"?board={board}") as ws:
        assert received(ws)["code"] == "not_found"
        ws.send(json.dumps({"type": "auth", "token": admin.token}))
        received(ws, of_type("authenticated"))
        ws.send(json.dumps({"type": "subscribe", "board": board}))
        assert received(ws, of_type("leaderboard.snapshot"))["board"] == board


def test_a_frozen_board_stands_still_for_viewers_alone(
    laurel: LaurelProcess, admin: Caller, players: list[Caller], board: str
):
    defined(admin, board, topSize=100)
    before = scores(until(lambda: (page := top(laurel.urls[1], board)) and not page["degraded"] and page)) or {}
    one = players[0]
    with (
        opened(laurel, f"?board={board}", pod=1) as viewer,
        opened(laurel, f"?board={board}&format=full", pod=2) as whole,
        opened(laurel, f"?board={board}", pod=2, additional_headers={"Authorization": f"Bearer {admin.token}"}) as own,
    ):
        first = received(viewer, of_type("leaderboard.snapshot"))
        assert admin.http.put(f"{BOARDS}/{board}/freeze").json() == {"boardId": board, "frozen": True}
        frozen = received(viewer, lambda m: m["type"] == "leaderboard.snapshot" and m["epoch"] != first["epoch"])
        sprint(one)
        live = before[one.user_id] + POINTS

        def has(score: int, rows: list[dict[str, Any]]) -> bool:
            return any(row["userId"] == one.user_id and row["score"] == score for row in rows)

        received(own, lambda m: m["type"] == "leaderboard.update" and has(live, m["data"]["updatedPositions"]))
        for url in laurel.urls:
            until(lambda url=url: (top(url, board) or {}).get("epoch") == frozen["epoch"], 5)
            assert scores(top(url, board)) == before
            assert (scores(top(url, board, token=admin.token)) or {})[one.user_id] == live
            place = httpx.get(f"{url}/api/v1/boards/{board}/users/{one.user_id}").json()
            assert place["score"] == before[one.user_id]
            around = httpx.get(f"{url}/api/v1/boards/{board}/around/{one.user_id}?radius=1").json()
            assert has(before[one.user_id], around["entries"])
        (own_place,) = [row for row in one.http.get("/api/v1/me").json()["boards"] if row["boardId"] == board]
        assert own_place["score"] == before[one.user_id]
        rows = httpx.get(f"{laurel.urls[1]}/api/v1/boards").json()["boards"]
        assert [row["frozen"] for row in rows if row["boardId"] == board] == [True]
        assert admin.http.put(f"{BOARDS}/{board}/freeze").status_code == 200, "again is no error"
        assert admin.http.delete(f"{BOARDS}/{board}/freeze").status_code == 204
        again = received(viewer, lambda m: m["type"] == "leaderboard.snapshot" and m["epoch"] != frozen["epoch"])
        assert has(live, again["data"]["entries"])
        received(whole, lambda m: has(live, m["data"]["topScores"]))
    shown_on_all(laurel, board, before | {one.user_id: live}, 5)


def test_pages_around_and_places_agree(laurel: LaurelProcess, admin: Caller, players: list[Caller], board: str):
    defined(admin, board)
    url = laurel.urls[1]
    until(lambda: (page := top(url, board)) and not page["degraded"])
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = httpx.get(f"{url}/api/v1/boards/{board}/top?limit=5" + (f"&cursor={cursor}" if cursor else "")).json()
        rows += page["entries"]
        cursor = page["next"]
    assert [row["rank"] for row in rows] == list(range(1, page["totalUsers"] + 1))
    for number in (0, 1, 5, len(rows) - 1):
        row = rows[number]
        place = httpx.get(f"{url}/api/v1/boards/{board}/users/{row['userId']}").json()
        assert (place["rank"], place["score"]) == (row["rank"], row["score"])
        for radius in (1, 5, 50):
            answer = httpx.get(f"{url}/api/v1/boards/{board}/around/{row['userId']}?radius={radius}").json()
            assert answer["entries"] == rows[max(0, number - radius) : number + radius + 1]
            assert answer["next"] is None
    who = players[0].user_id
    for radius in ("0", "51", "x", "-1"):
        problem = httpx.get(f"{url}/api/v1/boards/{board}/around/{who}?radius={radius}")
        assert_problem(problem, 400, "invalid_request")
    for unknown in (str(uuid4()), "x"):
        assert_problem(httpx.get(f"{url}/api/v1/boards/{board}/around/{unknown}"), 404, "not_found")


RESULT = """
WITH made AS (
    INSERT INTO results (board_id, board_revision, period, starts_at, ends_at)
    VALUES ($1, 1, $2, $3::text::timestamptz, $4::text::timestamptz) RETURNING id
), revisions AS (
    INSERT INTO result_revisions (result, revision, players) SELECT id, n, 12 FROM made, generate_series(1, 2) AS n
)
INSERT INTO result_rows (result, user_id, score, reached_at, since, until)
SELECT id, u, s, 1000 + s, since, until FROM made,
    unnest($5::uuid[], $6::bigint[], $7::int[], $8::int[]) AS r (u, s, since, until)
"""


def test_past_periods_are_read_in_every_revision(
    laurel: LaurelProcess, admin: Caller, players: list[Caller], board: str
):
    defined(admin, board, window="day")
    url, users = laurel.urls[1], [one.user_id for one in players]
    last = 2**31 - 1
    for day in range(1, 4):
        ids, points = [*users, users[0]], [*range(100, 112), 500]
        since, until_ = [1] * 12 + [2], [1] + [last] * 12
        ends = (f"2024-02-{26 + day}T00:00:00Z", f"2024-02-{27 + day}T00:00:00Z".replace("02-30", "03-01"))
        asyncio.run(
            fetch(
                laurel.config()["databaseUrl"],
                RESULT,
                board,
                f"2024-02-{26 + day}",
                *ends,
                ids,
                points,
                since,
                until_,
            )
        )
    listed = httpx.get(f"{url}/api/v1/boards/{board}/periods?limit=2").json()
    assert [entry["id"] for entry in listed["entries"]] == ["2024-02-29", "2024-02-28"]
    assert listed["entries"][0] | {"revisedAt": ""} == {
        "id": "2024-02-29",
        "start": "2024-02-29T00:00:00.000Z",
        "end": "2024-03-01T00:00:00.000Z",
        "revision": 2,
        "revisedAt": "",
        "totalUsers": 12,
    }
    rest = httpx.get(f"{url}/api/v1/boards/{board}/periods?cursor={listed['next']}").json()
    assert ([entry["id"] for entry in rest["entries"]], rest["next"]) == (["2024-02-27"], None)

    def read(query: str) -> list[tuple[int, str, int]]:
        rows, cursor = [], ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            answer = httpx.get(f"{url}/api/v1/boards/{board}/top?period=2024-02-29&limit=5{query}{more}")
            assert answer.headers["etag"]
            page = answer.json()
            assert (page["period"], page["totalUsers"], page["degraded"]) == ("2024-02-29", 12, False)
            rows += [(row["rank"], row["userId"], row["score"]) for row in page["entries"]]
            cursor = page["next"]
        return rows

    first = [(rank, user, 112 - rank) for rank, user in enumerate(reversed(users), start=1)]
    assert read("&revision=1") == first
    second = [(1, users[0], 500)] + [(rank + 1, user, score) for rank, user, score in first[:-1]]
    assert read("") == read("&revision=2") == second
    for query in ("period=2024-02-29&revision=3", "period=2024-02-30", "period=2019-01-01", "period=all"):
        assert_problem(httpx.get(f"{url}/api/v1/boards/{board}/top?{query}"), 404, "not_found")
    for bad in ("x", "W10"):
        assert_problem(httpx.get(f"{url}/api/v1/boards/{board}/periods?cursor={bad}"), 400, "invalid_request")


def test_a_season_has_a_period_when_an_admin_sets_one(laurel: LaurelProcess, admin: Caller, board: str):
    assert defined(admin, board, window="season", timeZone="Europe/Berlin")["period"] is None
    assert_problem(httpx.get(f"{laurel.urls[0]}/api/v1/boards/{board}/top"), 404, "not_found")
    ends = {"id": "first", "start": "2024-06-01T00:00:00", "end": "2124-12-01T00:00:00+00:00"}
    asked = rules(window="season", timeZone="Europe/Berlin", season=ends)
    answer = admin.http.put(f"{BOARDS}/{board}", json=asked).json()
    period = {"id": "first", "start": "2024-05-31T22:00:00.000Z", "end": "2124-12-01T00:00:00.000Z"}
    assert (answer["revision"], answer["season"], answer["period"]) == (2, period, period)
    assert httpx.get(f"{laurel.urls[0]}/api/v1/boards/{board}/top").json()["period"] == "first"
