"""A proxy between a browser and a pod that lets through what it is told to."""

import asyncio
import threading
from types import TracebackType
from typing import Self

from server.embedded.ports import LOOPBACK

HEAD_END = b"\r\n\r\n"
REFUSAL = b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Gate:
    """One request a connection, so that each can be judged; what is shut is also cut off where it is open."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._shut: set[str] = set()
        self._open: dict[str, set[asyncio.StreamWriter]] = {"websocket": set(), "events": set(), "other": set()}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.seen: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        start = asyncio.start_server(self._serve, LOOPBACK, 0)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(10)
        self.url = f"http://{LOOPBACK}:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def shut(self, *names: str) -> None:
        """Refuses `websocket` or `events` from now on, and cuts those that are open."""
        self._loop.call_soon_threadsafe(self._shut_now, names)

    def open(self, *names: str) -> None:
        """Lets them through again."""
        self._loop.call_soon_threadsafe(self._shut.difference_update, names)

    def cut(self) -> None:
        """Ends every connection without a word, as when a laptop sleeps for long."""
        self._loop.call_soon_threadsafe(self._cut, tuple(self._open))

    def _shut_now(self, names: tuple[str, ...]) -> None:
        self._shut.update(names)
        self._cut(names)

    def _cut(self, names: tuple[str, ...]) -> None:
        for name in names:
            for writer in self._open[name]:
                writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(HEAD_END)
            kind = _kind(head)
            if kind in self._shut:
                writer.write(REFUSAL)
                return
            if kind != "other":
                self.seen.append(kind)
            up: asyncio.Task[None] | None = None
            there, here = await asyncio.open_connection(LOOPBACK, self._target)
            self._open[kind].add(writer)
            try:
                here.write(head if kind == "websocket" else head.replace(b"keep-alive", b"close"))
                up = asyncio.create_task(_pump(reader, here))
                await _pump(there, writer)
            finally:
                if up is not None:
                    up.cancel()
                self._open[kind].discard(writer)
                here.close()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


def _kind(head: bytes) -> str:
    if b"upgrade: websocket" in head.lower():
        return "websocket"
    return "events" if b" /api/v1/live/events" in head else "other"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return
