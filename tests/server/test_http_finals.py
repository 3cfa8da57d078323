"""Boards frozen for a final: nothing of what goes on reaches viewers, on any way; admins see all of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from models.entry import MAX_SCORE
from tests.caller import Caller, assert_problem, fetch, player
from tests.e2e.test_live_events import frame_of, next_event, reading
from tests.laurel_process import LaurelProcess, until
from tests.server.test_http_boards import BOARDS, RESULT, defined, scores, sprint, top
from tests.server.test_http_live import of_type, opened, received

POINTS = 10
RECORDED = 777_333_111
"""A score that is in no id and no time by chance."""


@pytest.fixture(scope="module")
def admin(laurel: LaurelProcess) -> Iterator[Caller]:
    user_id, token = laurel.mint_admin()
    with Caller(laurel.urls[0], token, user_id) as found:
        yield found


@pytest.fixture(scope="module")
def one(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel, pod=2) as found:
        sprint(found)
        yield found


@pytest.fixture
def board(laurel: LaurelProcess, admin: Caller, one: Caller) -> Iterator[str]:
    """A whole board of everybody, on every pod, gone afterwards."""
    name = f"b-{uuid4().hex[:12]}"
    defined(admin, name, topSize=100)
    for url in laurel.urls:
        until(lambda url=url: (page := top(url, name)) and not page["degraded"] and one.user_id in (scores(page) or {}))
    yield name
    admin.http.delete(f"{BOARDS}/{name}")


@contextmanager
def frozen(laurel: LaurelProcess, admin: Caller, board: str) -> Iterator[str]:
    """A final: yields the frozen copy's epoch when every pod shows it."""
    before = top(laurel.urls[0], board)
    assert before is not None
    assert admin.http.put(f"{BOARDS}/{board}/freeze").status_code == 200
    try:
        epochs = [
            until(lambda url=url: (page := top(url, board)) and page["epoch"] not in ("", before["epoch"]) and page)
            for url in laurel.urls
        ]
        yield epochs[0]["epoch"]
    finally:
        admin.http.delete(f"{BOARDS}/{board}/freeze")


def has(user_id: str, score: int) -> Callable[[dict[str, Any]], bool]:
    """Whether a frame or a page shows a player with a score."""

    def shows(frame: dict[str, Any]) -> bool:
        data = frame.get("data", frame)
        rows = [row for name in ("entries", "updatedPositions", "topScores") for row in data.get(name, ())]
        return any((row["userId"], row["score"]) == (user_id, score) for row in rows)

    return shows


@asynccontextmanager
async def streams(laurel: LaurelProcess, board: str, token: str) -> AsyncIterator[tuple[Any, Any, Any]]:
    """A viewer's stream, one of whole tops and an administrator's, all on one pod."""
    async with AsyncExitStack() as stack:
        url = laurel.urls[1]
        yield (
            await stack.enter_async_context(reading(url, f"?board={board}")),
            await stack.enter_async_context(reading(url, f"?board={board}&format=full")),
            await stack.enter_async_context(reading(url, f"?board={board}", Authorization=f"Bearer {token}")),
        )


async def test_event_streams_stand_still(laurel: LaurelProcess, admin: Caller, one: Caller, board: str):
    url = laurel.urls[1]
    async with streams(laurel, board, admin.token or "") as (viewer, whole, own):
        first = frame_of(await next_event(viewer))
        await next_event(whole)
        score = scores({"entries": first["data"]["entries"]})[one.user_id]
        final = frozen(laurel, admin, board)
        epoch = await asyncio.to_thread(final.__enter__)
        still = frame_of(await next_event(viewer))
        assert (still["epoch"], still["data"]) == (epoch, first["data"])
        assert frame_of(await next_event(whole))["data"]["topScores"] == first["data"]["entries"]
        await asyncio.to_thread(sprint, one)
        live = await next_event(own, lambda event: has(one.user_id, score + POINTS)(json.loads(event["data"])))
        # Whoever comes with a position of the live board, an old one or its newest, gets the copy.
        for position in (f"{first['epoch']}:{first['version']}", live["id"]):
            async with reading(url, f"?board={board}", **{"Last-Event-ID": position}) as resumed:
                assert frame_of(await next_event(resumed)) == still
        await asyncio.to_thread(final.__exit__, None, None, None)
        # Not one event came between the copy and the live board.
        after = frame_of(await next_event(viewer))
        assert after["type"] == "leaderboard.snapshot"
        assert has(one.user_id, score + POINTS)(after)
        assert has(one.user_id, score + POINTS)(frame_of(await next_event(whole)))


def test_polling_gets_304_while_administrators_see_it_move(
    laurel: LaurelProcess, admin: Caller, one: Caller, board: str
):
    path = f"/api/v1/boards/{board}/top?limit=100"
    with frozen(laurel, admin, board):
        first = httpx.get(laurel.urls[0] + path)
        tag = {"If-None-Match": first.headers["etag"]}
        score = (scores(first.json()) or {})[one.user_id]
        sprint(one)
        for url in laurel.urls:
            with admin.at(url) as there:

                def moved(there: Caller = there) -> httpx.Response | None:
                    answer = there.http.get(path, headers=tag)
                    return answer if answer.status_code == 200 and has(one.user_id, score + 10)(answer.json()) else None

                live = until(moved, 5)
            answer = httpx.get(url + path, headers=tag)
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag["If-None-Match"])
            # An administrator's tag is no viewer's.
            answer = httpx.get(url + path, headers={"If-None-Match": live.headers["etag"]})
            assert (answer.status_code, answer.json()["entries"]) == (200, first.json()["entries"])
    for url in laurel.urls:
        until(lambda url=url: httpx.get(url + path, headers=tag).status_code == 200, 5)
        assert has(one.user_id, score + 10)(httpx.get(url + path).json())


def test_sockets_that_ask_again_get_the_copy(laurel: LaurelProcess, admin: Caller, one: Caller, board: str):
    with opened(laurel, f"?board={board}", pod=1) as ws:
        first = received(ws, of_type("leaderboard.snapshot"))
        with frozen(laurel, admin, board) as epoch:
            score = (scores(top(laurel.urls[1], board)) or {})[one.user_id]
            sprint(one)
            until(lambda: has(one.user_id, score + POINTS)(top(laurel.urls[1], board, token=admin.token) or {}), 5)
            live = top(laurel.urls[1], board, token=admin.token) or {}
            for message in (
                {"type": "resume", "board": board, "epoch": first["epoch"], "version": first["version"]},
                {"type": "resume", "board": board, "epoch": live["epoch"], "version": live["version"]},
                {"type": "subscribe", "board": board},
            ):
                ws.send(json.dumps(message))
                frame = received(ws, of_type("leaderboard.snapshot"))
                assert (frame["epoch"], has(one.user_id, score)(frame)) == (epoch, True)
            where = f"?board={board}&epoch={live['epoch']}&version={live['version']}"
            with opened(laurel, where, pod=1) as late:
                assert received(late, of_type("leaderboard.snapshot"))["epoch"] == epoch
            # A player's token changes nothing, an administrator's opens the live board.
            for token, expected in ((one.token, score), (admin.token, score + POINTS)):
                with opened(laurel, f"?board={board}", pod=1) as signed:
                    received(signed, of_type("leaderboard.snapshot"))
                    signed.send(json.dumps({"type": "auth", "token": token}))
                    received(signed, of_type("authenticated"))
                    signed.send(json.dumps({"type": "subscribe", "board": board}))
                    assert has(one.user_id, expected)(received(signed, of_type("leaderboard.snapshot")))


def test_the_copy_is_what_every_read_shows(laurel: LaurelProcess, admin: Caller, one: Caller, board: str):
    def reads(url: str, caller: Caller) -> list[dict[str, Any]]:
        with caller.at(url) as there:
            answers = [
                there.http.get(f"/api/v1/boards/{board}/users/{one.user_id}"),
                there.http.get(f"/api/v1/boards/{board}/around/{one.user_id}?radius=2"),
                there.post(f"/api/v1/boards/{board}/subset", {"userIds": [one.user_id]}),
                there.http.get(f"/api/v1/boards/{board}/friends"),
            ]
        assert all(answer.status_code == 200 for answer in answers), answers
        return [{name: value for name, value in answer.json().items() if name != "asOf"} for answer in answers]

    one.http.put(f"/api/v1/me/friends/{admin.user_id}")
    admin.http.put(f"/api/v1/me/friends/{one.user_id}")
    with frozen(laurel, admin, board):
        before = reads(laurel.urls[0], one)
        score = before[0]["score"]
        sprint(one)
        for url in laurel.urls:
            until(lambda url=url: reads(url, admin)[0]["score"] == score + POINTS, 5)
            _, around, subset, friends = reads(url, admin)
            for page in (around, subset, friends):
                assert has(one.user_id, score + POINTS)(page)
            assert reads(url, one) == before


def test_results_that_came_after_the_freeze_wait_for_the_release(
    laurel: LaurelProcess, admin: Caller, one: Caller, board: str
):
    """The final day's own result too: it is what the final is about."""
    assert admin.http.put(f"{BOARDS}/{board}", json={"title": "x", "fold": "sum", "window": "day"}).status_code == 200
    until(lambda: (page := top(laurel.urls[1], board)) and not page["degraded"] and page["period"] != "all")
    with frozen(laurel, admin, board):
        today = (top(laurel.urls[1], board) or {})["period"]
        last = 2**31 - 1
        for day, start, end in ((today, today, "2100-01-01"), ("2024-02-27", "2024-02-27", "2024-02-28")):
            ends = (f"{start}T00:00:00Z", f"{end}T00:00:00Z")
            rows = ([one.user_id], [RECORDED], [1], [last])
            asyncio.run(fetch(laurel.config()["databaseUrl"], RESULT, board, day, *ends, *rows))
        for caller, expected in ((one, ["2024-02-27"]), (admin, [today, "2024-02-27"])):
            with caller.at(laurel.urls[1]) as there:
                for query in ("", "?limit=1"):
                    ids, cursor = [], ""
                    while cursor is not None:
                        more = f"{'&' if query else '?'}cursor={cursor}" if cursor else ""
                        page = there.http.get(f"/api/v1/boards/{board}/periods{query}{more}").json()
                        ids += [entry["id"] for entry in page["entries"]]
                        cursor = page["next"]
                    assert ids == expected
        for path in ("top", f"users/{one.user_id}", f"around/{one.user_id}", "friends"):
            asked = f"/api/v1/boards/{board}/{path}?period={today}&revision=1"
            assert_problem(one.http.get(asked), 404, "not_found")
            assert str(RECORDED) in admin.http.get(asked).text or path == "friends"
            assert str(RECORDED) not in one.http.get(f"/api/v1/boards/{board}/{path}?period={today}").text
    until(lambda: str(RECORDED) in one.http.get(f"/api/v1/boards/{board}/top?period={today}&revision=1").text, 5)


def test_while_global_is_frozen_no_rank_is_told(laurel: LaurelProcess, admin: Caller, one: Caller):
    """By answers, by sockets, or by one of the five dialects."""
    url = laurel.urls[1]

    def dialects(token: str | None) -> list[Any]:
        with Caller(url, token) as there:
            paths = ("/api/score/top", "/api/leaderboard", "/api/v1/leaderboard?limit=100", "/api/scores/top")
            answers = [there.http.get(path).json() for path in paths]
        answers[1].pop("lastUpdated")
        return answers

    def no_largest_score() -> bool:
        """Whether there is room above the first; scores that other tests drove to the limit are taken back."""
        first = admin.http.get("/api/v1/boards/global/top").json()["entries"][0]
        if first["score"] < MAX_SCORE // 2:
            return True
        body = {"change": -first["score"], "reason": "room for the final"}
        assert admin.http.patch(f"/api/v1/admin/users/{first['userId']}/score", json=body).status_code == 200
        return False

    until(no_largest_score, 10)
    with player(laurel) as rival, opened(laurel, pod=1) as rivals, opened(laurel, pod=2) as own:
        sprint(rival)
        for ws, token in ((rivals, rival.token), (own, one.token)):
            ws.send(json.dumps({"type": "auth", "token": token}))
            received(ws, of_type("authenticated"))
        with frozen(laurel, admin, "global"):
            before, score = dialects(one.token), one.http.get("/api/v1/me").json()["score"]
            best = (top(url, "global", token=admin.token) or {})["entries"][0]["score"]
            reason = {"change": best + 1, "reason": "the final"}
            admin.http.patch(f"/api/v1/admin/users/{rival.user_id}/score", json=reason)
            admin.http.patch(f"/api/v1/admin/users/{one.user_id}/score", json=reason | {"change": best + 100})
            answer = sprint(one)
            assert (answer["newScore"], answer["leaderboardPosition"]) == (score + best + 100 + POINTS, None)
            told: list[dict[str, Any]] = []
            received(own, lambda m: told.append(m) is None and m.get("data", {}).get("newScore") == answer["newScore"])
            updates = [message["data"] for message in told if message["type"] == "user.scoreUpdate"]
            assert [(one["leaderboardPosition"], one["pointsToTop10"]) for one in updates] == [(None, None)] * 2
            with admin.at(url) as there:
                shown = until(
                    lambda: has(one.user_id, answer["newScore"])(there.http.get("/api/v1/boards/global/top").json()), 5
                )
            assert shown
            assert dialects(one.token) == before
            seen = dialects(admin.token)
            assert (seen[0][0]["userId"], seen[1]["leaderboard"][0]["userId"]) == (one.user_id, one.user_id)
            assert (seen[2]["leaderboard"][0]["userId"], seen[3]["topScores"][0]["userId"]) == (one.user_id,) * 2
            rivals.send(json.dumps({"type": "ping"}))
            told = []
            received(rivals, lambda m: told.append(m) is None and m["type"] == "pong")
            assert "user.overtaken" not in {message["type"] for message in told}
        until(lambda: sprint(one)["leaderboardPosition"] == 1, 5)


def test_a_copy_that_takes_long_goes_on_and_the_same_request_waits_for_it(
    laurel: LaurelProcess, admin: Caller, one: Caller, board: str
):
    """Standings that nobody can write for a while stand in for a million of them."""

    async def meanwhile() -> httpx.Response:
        connection = await asyncpg.connect(laurel.config()["databaseUrl"])
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE standings IN SHARE MODE")
                return await asyncio.to_thread(admin.http.put, f"{BOARDS}/{board}/freeze")
        finally:
            await connection.close()

    score = (scores(top(laurel.urls[0], board)) or {})[one.user_id]
    answer = asyncio.run(meanwhile())
    assert_problem(answer, 503, "busy")
    assert answer.headers["retry-after"] == "1"
    for _ in "ab":
        answer = admin.http.put(f"{BOARDS}/{board}/freeze")
        assert (answer.status_code, answer.json()) == (200, {"boardId": board, "frozen": True})
    sprint(one)
    with admin.at(laurel.urls[0]) as there:
        until(lambda: has(one.user_id, score + POINTS)(there.http.get(f"/api/v1/boards/{board}/top?limit=100").json()))
    assert (scores(top(laurel.urls[0], board)) or {})[one.user_id] == score
    assert admin.http.delete(f"{BOARDS}/{board}/freeze").status_code == 204


def test_bans_and_farewells_show_with_the_release(laurel: LaurelProcess, admin: Caller, board: str):
    """What stands in a final stays in it; but who has left is nobody any more there, too."""
    with player(laurel) as banned, player(laurel) as leaving:
        both = {banned.user_id, leaving.user_id}

        def shown(url: str, token: str | None = None) -> set[str]:
            return both & (scores(top(url, board, token=token)) or {}).keys()

        sprint(banned)
        sprint(leaving)
        until(lambda: shown(laurel.urls[0]) == both)
        name = leaving.http.get("/api/v1/me").json()["username"]
        with frozen(laurel, admin, board):
            assert name in json.dumps(top(laurel.urls[0], board))
            reason = {"reason": "in the final"}
            assert admin.http.put(f"/api/v1/admin/users/{banned.user_id}/ban", json=reason).status_code == 200
            assert leaving.http.delete("/api/v1/me").status_code == 204
            for url in laurel.urls:
                until(lambda url=url: shown(url, admin.token) == set())
                until(lambda url=url: name not in json.dumps(top(url, board)))
                assert shown(url) == both
        for url in laurel.urls:
            until(lambda url=url: shown(url) == set())
