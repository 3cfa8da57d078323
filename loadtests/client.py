"""A Laurel client for load tests and the demo, on aiohttp.

Refused       the server answered no: status, code, facts
Unreachable   no pod answered in time; whether it counted is unknown
Diverged      a folded top is not the server's
"""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Self
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
import altcha
import msgspec

ANSWER_SECONDS = 10.0
WITHIN_SECONDS = 30.0  # all tries of one request
FIRST_DELAY_SECONDS = 0.2
LAST_DELAY_SECONDS = 5.0
HEARTBEAT_SECONDS = 20.0
RENEW_BEFORE_SECONDS = 5.0
"""A token this close to its end is renewed before it is used."""
PASSING = frozenset({429, 500, 502, 503, 504})
FINAL_CLOSES = frozenset({4400, 4401})
TAKEN = 409
UNAUTHORIZED = 401
LIMITED = 429
PROOF_REQUIRED = "proof_required"


class Refused(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float = 0.0) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status = status
        self.code = str(problem.get("code", ""))
        self.facts = dict(problem)
        self.retry_after_seconds = retry_after

    @property
    def wait_seconds(self) -> float:
        """How long the server says to wait, 0 when it says nothing."""
        return max(self.retry_after_seconds, float(self.facts.get("waitMs", 0)) / 1000)


class Unreachable(Exception):
    """No pod answered in time."""


class Diverged(Exception):
    """A delta does not fit the top it is applied to."""


class Wire(msgspec.Struct, frozen=True, rename="camel"):
    """Root of answers; what is not named here is ignored."""


class Action(Wire, frozen=True):
    action_id: str
    points: int
    min_seconds: int
    max_seconds: int
    cooldown_seconds: int
    ticket: str


class Ticket(Wire, frozen=True):
    ticket: str
    ticket_id: str
    action_id: str
    points: int
    issued_at: datetime
    redeemable_at: datetime

    @property
    def least_seconds(self) -> float:
        """From issue to the earliest redemption, on the server's clock."""
        return (self.redeemable_at - self.issued_at).total_seconds()


class Redemption(Wire, frozen=True):
    ticket_id: str
    change: int
    new_score: int
    leaderboard_position: int | None
    user_version: int
    replayed: bool


class Row(Wire, frozen=True):
    user_id: str
    score: int
    rank: int
    username: str = ""


@dataclass(frozen=True, slots=True)
class Top:
    """A board's top at a version of an epoch, in rank order."""

    period: str
    epoch: str
    version: int
    rows: tuple[Row, ...]

    def rank_of(self, user_id: str) -> int | None:
        return next((row.rank for row in self.rows if row.user_id == user_id), None)


def fold(top: Top | None, frame: Mapping[str, Any]) -> Top | None:
    """The top after a frame; raises Diverged when it does not follow."""
    match frame["type"]:
        case "leaderboard.snapshot":
            rows = msgspec.convert(frame["data"]["entries"], tuple[Row, ...])
            return Top(frame["period"], frame["epoch"], frame["version"], rows)
        case "leaderboard.update":
            if top is None or (top.epoch, top.version) != (frame["epoch"], frame["previous"]):
                raise Diverged("a delta is missing")
            held = {row.user_id: row for row in top.rows}
            for user_id in frame["data"]["removed"]:
                held.pop(user_id, None)
            held |= {row.user_id: row for row in msgspec.convert(frame["data"]["updatedPositions"], list[Row])}
            rows = tuple(sorted(held.values(), key=lambda row: row.rank))
            if hash_of(rows) != frame["hash"]:
                raise Diverged("the hash is another one")
            return Top(frame["period"], frame["epoch"], frame["version"], rows)
    return top


def hash_of(rows: Sequence[Row]) -> str:
    return sha256(",".join(f"{row.user_id}:{row.score}" for row in rows).encode()).hexdigest()[:16]


class Client:
    """Speaks with several pods of one server; a try that fails moves on to the next."""

    def __init__(self, urls: Sequence[str], *, connections: int = 0) -> None:
        self._urls = [url.rstrip("/") for url in urls]
        self._next = random.randrange(len(urls))
        self._connections = connections
        self.tried_again: Counter[str] = Counter()
        """Passing failures by their names."""

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=self._connections)
        self._http = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        within: float = WITHIN_SECONDS,
    ) -> bytes:
        """The first answer that is no passing failure; only for what may be repeated."""
        deadline = time.monotonic() + within
        attempt = 0
        while True:
            url = self._urls[self._next % len(self._urls)]
            try:
                return await self._once(method, url + path, body, headers)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                failure: Exception = Unreachable(f"{url} does not answer: {error!r}")
                what, least = again(0), 0.0
            except Refused as refused:
                if refused.status not in PASSING:
                    raise
                failure, what, least = refused, again(refused.status, refused.code), refused.retry_after_seconds
            self._next += 1
            delay = least + backoff(attempt)
            attempt += 1
            if time.monotonic() + delay > deadline:
                raise failure
            self.tried_again[what] += 1
            await asyncio.sleep(delay)

    async def _once(
        self, method: str, url: str, body: Mapping[str, Any] | None, headers: Mapping[str, str] | None
    ) -> bytes:
        async with self._http.request(method, url, json=body, headers=headers) as response:
            answer = await response.read()
            if response.ok:
                return answer
            problem: dict[str, Any] = {}
            with suppress(msgspec.MsgspecError):
                problem = msgspec.json.decode(answer, type=dict[str, Any])
            raise Refused(response.status, problem, retry_after(response.headers.get("Retry-After")))

    async def actions(self) -> list[Action]:
        answer = await self.ask("GET", "/api/v1/actions")
        return msgspec.json.decode(answer, type=dict[str, list[Action]])["actions"]

    async def live(self, board: str = "global") -> AsyncIterator[Top]:
        """The board's top whenever it changes; reconnects and resumes for ever."""
        top: Top | None = None
        failures = 0
        while True:
            url = self._urls[self._next % len(self._urls)]
            query = {"board": board} | ({"epoch": top.epoch, "version": top.version} if top else {})
            try:
                async with self._http.ws_connect(
                    f"{url}/api/v1/live?{urlencode(query)}", heartbeat=HEARTBEAT_SECONDS
                ) as socket:
                    async for message in socket:
                        folded = fold(top, message.json())
                        if folded is not None and folded is not top:
                            top, failures = folded, 0
                            yield folded
                if socket.close_code in FINAL_CLOSES:
                    raise Unreachable(f"closed with {socket.close_code}")
            except Diverged:
                top = None
            except (aiohttp.ClientError, TimeoutError, OSError):
                self._next += 1
            await asyncio.sleep(backoff(failures))
            failures += 1


class Player:
    """One account; its token is renewed before it ends, by the refresh token or else by logging in again."""

    def __init__(self, client: Client, username: str, password: str, display_name: str | None = None) -> None:
        self._client = client
        self._password = password
        self._headers: dict[str, str] = {}
        self._refresh_token = ""
        self._ends_at = math.inf
        self.username = username
        self.display_name = display_name
        self.user_id = ""

    async def enter(self) -> None:
        """Registers, or logs in when the name is taken."""
        account = {"username": self.username, "password": self._password, "displayName": self.display_name}
        try:
            self._accept(await self._client.ask("POST", "/api/v1/auth/register", account))
        except Refused as refused:
            if refused.status != TAKEN:
                raise
            await self.login()

    async def login(self) -> None:
        account = {"username": self.username, "password": self._password}
        self._accept(await self._client.ask("POST", "/api/v1/auth/login", account))

    def _accept(self, answer: bytes) -> None:
        session = msgspec.json.decode(answer)
        self.user_id = session["user"]["userId"]
        self._headers = {"Authorization": f"Bearer {session['accessToken']}"}
        self._refresh_token = session["refreshToken"]
        self._ends_at = time.monotonic() + session["expiresIn"]

    async def renew(self) -> None:
        """The next pair of tokens."""
        token, self._refresh_token = self._refresh_token, ""
        if token:
            # Sent once: a second use, after an answer that was lost, would end the session.
            with suppress(Refused, Unreachable):
                answer = await self._client.ask("POST", "/api/v1/auth/refresh", {"refreshToken": token}, within=0)
                return self._accept(answer)
        return await self.login()

    async def logout(self) -> None:
        """Ends the session on every pod; one that has ended already is fine."""
        headers, self._headers, self._refresh_token = self._headers, {}, ""
        try:
            await self._client.ask("POST", "/api/v1/auth/logout", headers=headers)
        except Refused as refused:
            if refused.status != UNAUTHORIZED:
                raise

    async def start(self, action_id: str) -> Ticket:
        """A ticket, with a proof of work where one is asked for; it may be asked for again."""
        body = {"actionId": action_id}
        try:
            answer = await self._ask("/api/v1/tickets", body)
        except Refused as refused:
            if refused.code != PROOF_REQUIRED:
                raise
            answer = await self._ask("/api/v1/tickets", body | {"proof": await self._prove(action_id)})
        return msgspec.json.decode(answer, type=Ticket)

    async def _prove(self, action_id: str) -> str:
        path = f"/api/v1/challenges?{urlencode({'actionId': action_id})}"
        challenge = msgspec.json.decode(await self._ask(path, method="GET"))
        return await asyncio.to_thread(solve, challenge)

    async def redeem(self, ticket: str) -> Redemption:
        """Repeats until answered: a spent ticket gets its recorded result."""
        return msgspec.json.decode(await self._ask("/api/v1/tickets/redeem", {"ticket": ticket}), type=Redemption)

    async def act(self, action_id: str, key: str | None = None) -> Redemption:
        """An instant action, with one idempotency key over all tries."""
        headers = {"Idempotency-Key": key or uuid4().hex}
        answer = await self._ask("/api/v1/tickets/redeem", {"actionId": action_id}, headers)
        return msgspec.json.decode(answer, type=Redemption)

    async def _ask(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> bytes:
        if time.monotonic() > self._ends_at - RENEW_BEFORE_SECONDS:
            await self.renew()
        try:
            return await self._client.ask(method, path, body, {**(headers or {}), **self._headers})
        except Refused as refused:
            if refused.status != UNAUTHORIZED:
                raise
        await self.renew()
        return await self._client.ask(method, path, body, {**(headers or {}), **self._headers})


def solve(challenge: Mapping[str, Any]) -> str:
    """The proof for a challenge, as ALTCHA's widget sends it; busy for a while, so not for the event loop."""
    asked = altcha.Challenge.from_dict(dict(challenge))
    solution = altcha.solve_challenge(asked)
    if solution is None:
        raise Unreachable("the proof of work took too long")
    return altcha.Payload(asked, solution).to_base64()


def retry_after(header: str | None) -> float:
    """Seconds to wait, as a Retry-After says."""
    return float(header) if header and header.isdecimal() else 0.0


def again(status: int, code: str = "") -> str:
    """What a try that is repeated counts as; status 0 is no answer."""
    return f"{'limited' if status == LIMITED else 'tried again'}: {status} {code}".rstrip()


def backoff(attempt: int) -> float:
    """A random delay below a doubling, capped ceiling (full jitter)."""
    return random.uniform(0, min(LAST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(attempt, 16)))
