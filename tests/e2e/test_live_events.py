"""Server-Sent Events: the frames of the WebSocket, resumable, for whoever cannot have one."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import asyncpg
import pytest

from tests.caller import minted, player, signing_key
from tests.e2e.invariants import top_of
from tests.e2e.viewer import FoldingViewer, watching
from tests.laurel_process import LaurelProcess

SECONDS = 10
PATH = "/api/v1/live/events"

Event = dict[str, str]


@asynccontextmanager
async def reading(url: str, query: str = "", **headers: str) -> AsyncIterator[aiohttp.ClientResponse]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}{PATH}{query}", headers=headers) as response:
        yield response


async def next_event(response: aiohttp.ClientResponse, wanted: Callable[[Event], bool] = lambda _: True) -> Event:
    """The next event that is wanted, as its fields; a comment is a field without a name."""
    fields: Event = {}
    async with asyncio.timeout(SECONDS + 10):
        while line := (await response.content.readline()).decode():
            if line != "\n":
                name, _, value = line.rstrip("\n").partition(":")
                fields[name] = value.removeprefix(" ")
            elif wanted(fields):
                return fields
            else:
                fields = {}
    raise EOFError


def frame_of(event: Event) -> dict[str, Any]:
    frame = json.loads(event["data"])
    assert frame["type"] == event["event"]
    if frame["type"].startswith("leaderboard."):
        assert event["id"] == f"{frame['epoch']}:{frame['version']}"
    return frame


async def redeemed(laurel: LaurelProcess, pod: int = 0) -> tuple[str, dict[str, Any]]:
    """A new player's first points, enough for the top; their id and the answer."""

    def score() -> tuple[str, dict[str, Any]]:
        with player(laurel, pod=pod) as scorer:
            return scorer.user_id, scorer.redeem(scorer.issue("sprint")["ticket"]).json()

    return await asyncio.to_thread(score)


@pytest.fixture(scope="module")
def pods() -> Any:
    with LaurelProcess() as process:
        yield process.start(pods=2)


async def test_events_are_the_frames_of_a_websocket(pods: LaurelProcess) -> None:
    async with reading(pods.urls[0]) as response, watching(pods.urls[0]) as viewer:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert (response.headers["Cache-Control"], response.headers["X-Accel-Buffering"]) == ("no-store", "no")
        mirror = FoldingViewer(pods.urls[0])
        mirror.take(frame_of(await next_event(response)))
        for pod in (0, 1, 0):
            user_id, _ = await redeemed(pods, pod)
            while user_id not in mirror.rows:
                mirror.take(frame_of(await next_event(response)))
        async with asyncio.timeout(SECONDS):
            while viewer.version < mirror.version:
                await asyncio.sleep(0.01)
        assert (viewer.epoch, viewer.version, viewer.rows) == (mirror.epoch, mirror.version, mirror.rows)


async def test_a_stream_resumes_where_it_was(pods: LaurelProcess) -> None:
    async with reading(pods.urls[0]) as response:
        before = frame_of(await next_event(response))
    mirror = FoldingViewer(pods.urls[0])
    mirror.take(before)
    user_id, _ = await redeemed(pods)
    async with watching(pods.urls[1]) as viewer, asyncio.timeout(SECONDS):
        while user_id not in viewer.rows:
            await asyncio.sleep(0.01)
    position = f"{before['epoch']}:{before['version']}"
    query = f"?epoch={before['epoch']}&version={before['version']}"
    for where, headers in (
        ("", {"Last-Event-ID": position}),
        (query, {}),
        ("?epoch=x&version=1", {"Last-Event-ID": position}),
    ):
        async with reading(pods.urls[1], where, **headers) as response:
            first = frame_of(await next_event(response))
            assert (first["type"], first["previous"]) == ("leaderboard.update", before["version"])
    mirror.take(first)
    assert mirror.rows == viewer.rows
    for unknown in ("x", "x:1", f"{before['epoch']}:99999999", ":::"):
        async with reading(pods.urls[1], **{"Last-Event-ID": unknown}) as response:
            assert frame_of(await next_event(response))["type"] == "leaderboard.snapshot"


async def test_full_format_is_the_top_each_time(pods: LaurelProcess) -> None:
    url = pods.urls[0].replace("http", "ws", 1) + "/api/v1/live?format=full"
    async with (
        reading(pods.urls[0], "?format=full") as response,
        aiohttp.ClientSession() as session,
        session.ws_connect(url) as socket,
    ):
        by_event, by_socket = frame_of(await next_event(response)), await socket.receive_json()
        user_id, _ = await redeemed(pods)
        for _ in range(SECONDS * 20):
            if user_id in [row["userId"] for row in by_event["data"]["topScores"]]:
                break
            by_event, by_socket = frame_of(await next_event(response)), await socket.receive_json()
    assert by_event == by_socket
    assert set(by_event) == {"type", "data"}
    assert by_event["type"] == "scoreboardUpdate"
    rows = by_event["data"]["topScores"]
    assert set(rows[0]) == {"userId", "username", "displayName", "avatarUrl", "score", "rank"}
    assert [(row["userId"], row["score"]) for row in rows] == [
        (row["userId"], row["score"]) for row in (await top_of(pods.urls[0], limit=10))["entries"]
    ]


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {"Origin": "https://evil.example"}, 403),
        ("", {"Authorization": "Bearer x"}, 401),
        ("?board=none", {}, 404),
        ("?epoch=x", {}, 400),
        ("?format=tiny", {}, 400),
    ],
)
async def test_what_is_refused(pods: LaurelProcess, query: str, headers: dict[str, str], status: int) -> None:
    async with reading(pods.urls[0], query, **headers) as response:
        assert response.status == status
        assert response.content_type == "application/problem+json"


async def test_ones_own_score_and_the_end_of_a_token(pods: LaurelProcess) -> None:
    with player(pods) as scorer:
        token = minted(signing_key(pods), scorer.user_id, exp=int(time.time()) + 6)
        async with reading(pods.urls[1], Authorization=f"Bearer {token}") as response:
            assert frame_of(await next_event(response))["data"] == {"userId": scorer.user_id}
            answer = (await asyncio.to_thread(lambda: scorer.redeem(scorer.issue("sprint")["ticket"]))).json()
            told = frame_of(await next_event(response, lambda event: event.get("event") == "user.scoreUpdate"))
            assert told["data"]["newScore"] == answer["newScore"]
            with pytest.raises(EOFError):
                await next_event(response, lambda _: False)


async def test_being_pushed_down_is_told_to_that_player_only(pods: LaurelProcess) -> None:
    with player(pods) as ann, player(pods) as ben:
        answers = await asyncio.to_thread(lambda: [ann.redeem(ann.issue("sprint")["ticket"]) for _ in range(4)])
        reached = answers[-1].json()["newScore"]
        async with watching(pods.urls[1], token=ann.token) as hers, watching(pods.urls[1], token=ben.token) as his:
            async with asyncio.timeout(SECONDS):
                while ann.user_id not in hers.rows or hers.rows[ann.user_id]["score"] < reached:
                    await asyncio.sleep(0.01)
            rank = hers.rows[ann.user_id]["rank"]
            await asyncio.to_thread(lambda: [ben.redeem(ben.issue("sprint")["ticket"]) for _ in range(5)])
            async with asyncio.timeout(SECONDS):
                while not (told := [frame for frame in hers.personal if frame["type"] == "user.overtaken"]):
                    await asyncio.sleep(0.01)
            assert told == [{"type": "user.overtaken", "data": {"by": ben.user_id, "rank": rank + 1}}]
            assert not [frame for frame in his.personal if frame["type"] == "user.overtaken"]


async def test_a_changed_profile_is_one_numbered_step_on_every_pod(pods: LaurelProcess) -> None:
    user_id, _ = await redeemed(pods)
    async with watching(pods.urls[0]) as one, watching(pods.urls[1]) as other:
        viewers = (one, other)
        async with asyncio.timeout(SECONDS):
            while any(user_id not in viewer.rows for viewer in viewers):
                await asyncio.sleep(0.01)
        before = one.version
        connection = await asyncpg.connect(pods.config()["databaseUrl"])
        try:
            await connection.execute("UPDATE accounts SET display_name = 'Renamed' WHERE user_id = $1", user_id)
            await connection.execute("INSERT INTO control (topic, subject) VALUES ('profile', $1)", user_id)
        finally:
            await connection.close()
        async with asyncio.timeout(SECONDS):
            while any(viewer.rows[user_id]["displayName"] != "Renamed" for viewer in viewers):
                await asyncio.sleep(0.01)
        # Another change after it: had the second pod numbered the step again, versions would show it.
        last, _ = await redeemed(pods)
        async with asyncio.timeout(SECONDS):
            while any(last not in viewer.rows for viewer in viewers):
                await asyncio.sleep(0.01)
        assert {viewer.version for viewer in viewers} == {before + 2}
        assert one.rows == other.rows


async def test_a_quiet_stream_has_a_heartbeat_and_a_stopped_pod_says_goodbye() -> None:
    with LaurelProcess() as laurel:
        await asyncio.to_thread(laurel.start)
        async with reading(laurel.urls[0]) as response:
            await next_event(response)
            started = time.monotonic()
            assert await next_event(response) == {"": ""}
            assert 10 < time.monotonic() - started < 20
            laurel._process.send_signal(signal.SIGTERM)
            assert "retry" in await next_event(response)
            with pytest.raises(EOFError):
                await next_event(response)
