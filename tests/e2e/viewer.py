"""A viewer that folds what a pod pushes, and checks every frame as it goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import aiohttp


class FoldingViewer:
    """Holds the top that the frames fold to; fails on a gap, a wrong hash or a version that goes back."""

    def __init__(self, url: str, board: str = "global", token: str | None = None) -> None:
        self._address = url.replace("http", "ws", 1) + f"/api/v1/live?board={board}"
        self._token = token
        self.epoch = ""
        self.version = -1
        self.rows: dict[str, dict[str, Any]] = {}
        self.frames = 0
        self.started = asyncio.Event()
        self.personal: list[dict[str, Any]] = []

    @property
    def top(self) -> list[tuple[str, int]]:
        """The folded top as (user, score) in rank order."""
        return [(row["userId"], row["score"]) for row in sorted(self.rows.values(), key=lambda row: row["rank"])]

    async def run(self) -> None:
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        async with aiohttp.ClientSession() as session, session.ws_connect(self._address, headers=headers) as socket:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self.take(message.json())

    def take(self, frame: dict[str, Any]) -> None:
        self.frames += 1
        match frame["type"]:
            case "leaderboard.snapshot":
                if frame["epoch"] == self.epoch:
                    assert frame["version"] >= self.version, "a version went back within its epoch"
                self.rows = {row["userId"]: row for row in frame["data"]["entries"]}
            case "leaderboard.update":
                assert (frame["epoch"], frame["previous"]) == (self.epoch, self.version), "a delta does not fit"
                for user_id in frame["data"]["removed"]:
                    del self.rows[user_id]
                for row in frame["data"]["updatedPositions"]:
                    self.rows[row["userId"]] = row
                text = ",".join(f"{user}:{score}" for user, score in self.top)
                assert frame["hash"] == sha256(text.encode()).hexdigest()[:16], "the fold has diverged"
            case _:
                self.personal.append(frame)
                return
        self.epoch, self.version = frame["epoch"], frame["version"]
        self.started.set()


@asynccontextmanager
async def watching(url: str, board: str = "global", token: str | None = None) -> AsyncIterator[FoldingViewer]:
    """A viewer that has its snapshot; whatever it finds wrong fails the test at the end."""
    viewer = FoldingViewer(url, board, token)
    task = asyncio.create_task(viewer.run())
    try:
        await asyncio.wait([task, asyncio.create_task(viewer.started.wait())], return_when=asyncio.FIRST_COMPLETED)
        yield viewer
        assert not task.done() or not task.exception(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait([task])
