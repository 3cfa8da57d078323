"""The channel of one player: to every socket of theirs, on every pod."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.asyncio.client import PubSub

from actors.epochs import Epochs
from actors.frames import event
from actors.keys import USER_CHANNEL
from actors.ordering import AWAY, Ordering
from actors.supervisor import Supervisor
from models.ids import UserId

Receive = Callable[[str, bytes], None]
"""Takes a message by its type and as JSON."""

PATIENCE_SECONDS = 1.0
"""How long it listens before it looks whether Redis is still there."""
CONFIRM_SECONDS = 1.0


class Personal:
    """Subscribes to the channels of players who have a socket here; best effort, ordered by `userVersion`.

    A broken subscription loses messages without a word, so clients ask for their score again after a reconnect.
    """

    def __init__(self, ordering: Ordering, epochs: Epochs) -> None:
        self._ordering = ordering
        self._epochs = epochs
        self._receivers: dict[UserId, set[Receive]] = {}
        self._latest: dict[UserId, int] = {}
        self._confirming: dict[str, list[asyncio.Future[None]]] = {}
        self._subscribed: set[str] = set()
        self._asked: set[str] = set()
        self._moved = asyncio.Event()
        self._pubsub: PubSub | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Starts listening, and asking: apart, so that neither waits for the other."""
        supervisor.keep("personal", self._work)
        supervisor.keep("channels", self._ask)

    async def join(self, user_id: UserId, receive: Receive) -> None:
        """Sends a player's messages to one more socket; returns when subscribed, or soon without Redis."""
        self._receivers.setdefault(user_id, set()).add(receive)
        self._moved.set()
        channel = USER_CHANNEL + user_id
        if channel in self._subscribed or self._ordering.away:
            return
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._confirming.setdefault(channel, []).append(confirmed)
        with suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_SECONDS):
                await confirmed

    def leave(self, user_id: UserId, receive: Receive) -> None:
        """Stops sending to a socket."""
        receivers = self._receivers.get(user_id, set())
        receivers.discard(receive)
        if not receivers:
            self._receivers.pop(user_id, None)
            self._latest.pop(user_id, None)
            self._moved.set()

    @property
    def anybody(self) -> bool:
        """Whether any player has a socket here."""
        return bool(self._receivers)

    def local(self, user_id: UserId, kind: str, **data: Any) -> None:
        """Sends to a player's sockets on this pod."""
        receivers = tuple(self._receivers.get(user_id, ()))
        if receivers:
            payload = event(kind, **data)
            for receive in receivers:
                receive(kind, payload)

    async def _work(self) -> None:
        while True:
            await self._ordering.there.wait()
            client = self._ordering.listening_client()
            pubsub = client.pubsub()
            try:
                await pubsub.subscribe(f"{USER_CHANNEL}nobody")
                self._pubsub = pubsub
                self._moved.set()
                await self._listen(pubsub)
            except AWAY:
                await asyncio.sleep(0.1)  # the watch finds out what is wrong
            finally:
                self._pubsub = None
                self._asked.clear()
                self._subscribed.clear()
                await pubsub.aclose()  # type: ignore[no-untyped-call]
                await client.aclose()

    async def _listen(self, pubsub: PubSub) -> None:
        while not self._ordering.away:
            message = await pubsub.get_message(timeout=PATIENCE_SECONDS)
            if message is not None:
                self._take(message)

    async def _ask(self) -> None:
        """Subscribes for who has come, and no longer for who has gone."""
        while True:
            await self._moved.wait()
            self._moved.clear()
            pubsub = self._pubsub
            if pubsub is None:
                continue  # the listener asks again once it is connected
            wanted = {USER_CHANNEL + user_id for user_id in self._receivers}
            new, old = wanted - self._asked, self._asked - wanted
            self._asked = wanted
            self._subscribed -= old  # at once: whoever comes now must ask again
            with suppress(*AWAY):  # the listener's connection is the same: it begins anew
                if new:
                    await pubsub.subscribe(*new)
                if old:
                    await pubsub.unsubscribe(*old)

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._subscribed.add(message["channel"])
            for confirmed in self._confirming.pop(message["channel"], ()):
                if not confirmed.done():
                    confirmed.set_result(None)
        elif message["type"] == "unsubscribe":  # its confirmation may come after that of a subscription in between
            self._subscribed.discard(message["channel"])
        elif message["type"] == "message":
            self._receive(message["channel"], message["data"])

    def _receive(self, channel: str, data: str) -> None:
        user_id = UserId(channel.removeprefix(USER_CHANNEL))
        version, score, rank, change, missing = data.split(" ")
        if user_id not in self._receivers or int(version) <= self._latest.get(user_id, 0):
            return
        self._latest[user_id] = int(version)
        told = self._epochs.tells_ranks
        self.local(
            user_id,
            "user.scoreUpdate",
            newScore=int(float(score)),
            leaderboardPosition=(int(rank) or None) if told else None,
            change=int(change),
            pointsToTop10=int(missing) if told else None,
            userVersion=int(version),
        )
