"""Players that play, so that a board has something to show: `python -m loadtests.demo --url URL`."""

import argparse
import asyncio
import logging
import random
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from loadtests.client import Action, Client, Player, Refused, Top, Unreachable
from loadtests.names import NAMES

log = logging.getLogger("laurel.demo")

LONGEST_ACTION_SECONDS = 60
LEAST_PAUSE_SECONDS = 1.0  # so 24 players send at most 24 requests a second
ARRIVAL_SECONDS = 6.0  # players come one by one
REST_SECONDS = 4.5  # between two rounds, on average
BURST_REST_SECONDS = 1.2
AWAY_SECONDS = (12.0, 70.0)
ROUNDS = (5, 24)  # in one go
BURST_SHARE = 0.25
HASTE_SHARE = 0.03  # redeems too early, and is told so
LONGEST_RETRY_SECONDS = 600.0  # an action that is refused for the day is looked at again
LEADERS, TOP = 3, 10
MIN_PASSWORD_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Nature:
    """What a player likes, and how quick they are."""

    tempo: float
    tastes: dict[str, float]


def nature_of(name: str, actions: Sequence[Action]) -> Nature:
    """The same for the same name; long actions are a rare pleasure."""
    dice = random.Random(name)
    tempo = dice.uniform(0.75, 1.3)
    tastes = {a.action_id: dice.uniform(0.2, 1.0) * (6 / (6 + a.min_seconds)) ** 1.5 for a in actions}
    return Nature(tempo, tastes)


def keenness(rank: int | None) -> float:
    """Factor on every rest: who leads is at ease, who is behind is not."""
    if rank is None:
        return 0.7
    return 1.9 - 0.2 * rank if rank <= LEADERS else 0.9


def playable(actions: Sequence[Action]) -> list[Action]:
    return [action for action in actions if action.min_seconds <= LONGEST_ACTION_SECONDS]


class Board:
    """The newest top, which players look at now and then."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._top: Top | None = None

    async def follow(self) -> None:
        async for top in self._client.live():
            self._top = top

    def rank_of(self, user_id: str) -> int | None:
        return self._top.rank_of(user_id) if self._top else None


class DemoPlayer:
    """Comes, plays a while, leaves for a while; for ever.

    Refusals are part of life. A server that is away is waited for.
    """

    def __init__(self, player: Player, board: Board, actions: Sequence[Action]) -> None:
        self._player = player
        self._board = board
        self._actions = playable(actions)
        self._nature = nature_of(player.username, self._actions)
        self._not_before: dict[str, float] = {}

    async def play(self) -> None:
        await pause(random.uniform(0, ARRIVAL_SECONDS))
        while True:
            try:
                if not self._player.user_id:
                    await self._player.enter()
                await self._stay()
                await pause(random.uniform(*AWAY_SECONDS))
            except Unreachable as error:
                log.debug("%s: %s", self._player.username, error)
                await pause(random.uniform(*AWAY_SECONDS) / 4)
            except Refused as refused:
                log.warning("%s: %s", self._player.username, refused)
                await pause(AWAY_SECONDS[1])

    async def _stay(self) -> None:
        rest = BURST_REST_SECONDS if random.random() < BURST_SHARE else REST_SECONDS
        for _ in range(random.randint(*ROUNDS)):
            action = self._choose()
            if action is not None:
                await self._round(action)
            factor = self._nature.tempo * keenness(self._board.rank_of(self._player.user_id))
            await pause(random.expovariate(1 / (rest * factor)))

    def _choose(self) -> Action | None:
        now = asyncio.get_running_loop().time()
        allowed = [a for a in self._actions if self._not_before.get(a.action_id, 0) <= now]
        weights = [self._nature.tastes[a.action_id] for a in allowed]
        return random.choices(allowed, weights)[0] if allowed else None

    async def _round(self, action: Action) -> None:
        try:
            if action.ticket == "instant":
                await self._player.act(action.action_id)
            else:
                await self._act_out(action)
        except Refused as refused:
            if refused.status in (401, 429) or refused.code == "player_banned":
                raise
            log.debug("%s: %s", self._player.username, refused)
            self._put_off(action, refused.wait_seconds or LONGEST_RETRY_SECONDS)

    async def _act_out(self, action: Action) -> None:
        ticket = await self._player.start(action.action_id)
        needed = ticket.least_seconds
        if needed and random.random() < HASTE_SHARE:
            await pause(needed / 2)
            with suppress(Refused):
                await self._player.redeem(ticket.ticket)
            needed /= 2
        await pause(needed + random.expovariate(1 / 1.5) * self._nature.tempo)
        result = await self._player.redeem(ticket.ticket)
        self._put_off(action, action.cooldown_seconds)
        log.debug("%s %s: %+d, now %d", self._player.username, action.action_id, result.change, result.new_score)

    def _put_off(self, action: Action, seconds: float) -> None:
        self._not_before[action.action_id] = asyncio.get_running_loop().time() + min(seconds, LONGEST_RETRY_SECONDS)


async def pause(seconds: float) -> None:
    """Never shorter than the least pause: that bounds the rate of requests."""
    await asyncio.sleep(max(LEAST_PAUSE_SECONDS, seconds))


async def run(urls: Sequence[str], password: str) -> None:
    """Plays until cancelled."""
    async with Client(urls) as client:
        actions = await _actions(client)
        board = Board(client)
        async with asyncio.TaskGroup() as group:
            group.create_task(board.follow(), name="board")
            for username, display_name in NAMES:
                player = Player(client, username, password, display_name)
                group.create_task(DemoPlayer(player, board, actions).play(), name=username)


async def _actions(client: Client) -> list[Action]:
    while True:
        try:
            return await client.actions()
        except Unreachable as error:
            log.debug("%s", error)


async def _until_told(urls: Sequence[str], password: str, *, with_stdin: bool) -> None:
    """Ends on SIGTERM or SIGINT, and with the one who holds the other end of stdin."""
    loop = asyncio.get_running_loop()
    playing = asyncio.ensure_future(run(urls, password))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, playing.cancel)
    if with_stdin:
        loop.add_reader(sys.stdin.fileno(), playing.cancel)
    with suppress(asyncio.CancelledError):
        await playing


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.demo", description="Players that play, until stopped.")
    parser.add_argument("--url", action="append", required=True, help="a pod; may be given several times")
    parser.add_argument("--password-file", type=Path, required=True, help='JSON: {"password": …}, of all these players')
    parser.add_argument("--with-stdin", action="store_true", help="ends when standard input is closed")
    parser.add_argument("--verbose", action="store_true", help="logs every round and refusal")
    args = parser.parse_args()
    password = msgspec.json.decode(args.password_file.read_bytes(), type=dict[str, str])["password"]
    if len(password) < MIN_PASSWORD_LENGTH:
        parser.error(f"the password needs {MIN_PASSWORD_LENGTH} characters")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    log.setLevel(logging.DEBUG if args.verbose else logging.INFO)
    asyncio.run(_until_told(args.url, password, with_stdin=args.with_stdin))


if __name__ == "__main__":
    main()
