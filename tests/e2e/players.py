"""Players that send redemptions, to one pod or to all of them, and remember what they were told."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

SECONDS = 30


@dataclass(slots=True)
class Told:
    """What was answered: per ticket every 200 body, and how many of each other status."""

    answers: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    others: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))

    def acknowledged(self) -> dict[str, dict[str, Any]]:
        """The answer of each ticket that was answered with 200; they all have to agree."""
        found = {}
        for ticket, answers in self.answers.items():
            recorded = {(a["ticketId"], a["actionId"], a["change"], a["newScore"], a["userVersion"]) for a in answers}
            assert len(recorded) == 1, f"answers of one ticket differ: {recorded}"
            found[ticket] = answers[0]
        return found


async def redeem(session: aiohttp.ClientSession, url: str, token: str, ticket: str, told: Told) -> int:
    """Sends one redemption; the status, or 0 when no answer came."""
    try:
        async with session.post(
            f"{url}/api/v1/tickets/redeem", json={"ticket": ticket}, headers={"Authorization": f"Bearer {token}"}
        ) as response:
            body = await response.json(content_type=None)
            if response.status == 200:
                told.answers[ticket].append(body)
            else:
                told.others[response.status, body["code"]] += 1
            return response.status
    except (aiohttp.ClientError, TimeoutError, ConnectionError):
        return 0


async def send_all(
    work: Iterable[tuple[str, str, str]], told: Told, connections: int = 64, *, retry: Sequence[str] = ()
) -> None:
    """Sends (url, token, ticket) with so many at once; with `retry`, until each has a 200 from one of those pods."""
    queue = iter(list(work))

    async def send(session: aiohttp.ClientSession) -> None:
        for first, token, ticket in queue:
            url = first
            while await redeem(session, url, token, ticket, told) != 200 and retry:
                url = random.choice(retry)
                await asyncio.sleep(0.02)

    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(send(session) for _ in range(connections)))
