"""Asyncio players and viewers, for what locust cannot drive on a small machine; the same records, the same verdict.

`python -m loadtests.raw --url URL --tokens FILE`; `make load` beside it has people that behave, this has none.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import psutil
import uvloop

from loadtests.bench.figures import percentile
from loadtests.client import Client, Player, Redemption, Refused, Ticket, Top, Unreachable
from loadtests.load.accounts import PASSWORD, Account, minted
from loadtests.load.measured import BUDGETS, Measured, Moment, Row
from loadtests.load.told import Answer, Asked, Began, Diary, Ended, Seen, Unknown, View, prepare

SPRINT = "sprint"
"""Of the sample catalogue: no minimum time, no cooldown."""
SAMPLED = 3

T = TypeVar("T")


class Minted(Player):
    """A player whose token was minted: there is no password to log in with."""

    def __init__(self, client: Client, account: Account) -> None:
        super().__init__(client, account.user_id, "")
        self.user_id = account.user_id
        self._headers = account.headers

    async def login(self) -> None:
        raise Unreachable("a minted token was refused")


class Tally:
    """Times by name, and a point of the charts each second."""

    def __init__(self, people: int) -> None:
        self._people = people
        self._times: dict[str, list[float]] = defaultdict(list)
        self._failures: dict[str, int] = defaultdict(int)
        self._second: list[float] = []
        self._began = time.monotonic()
        self.history: list[Moment] = []
        self.busiest = 0.0

    async def timed(self, name: str, work: Awaitable[T]) -> T:
        began = time.perf_counter()
        try:
            result = await work
        except (Refused, Unreachable):
            self._failures[name] += 1
            raise
        finally:
            took = (time.perf_counter() - began) * 1000
            self._times[name].append(took)
            self._second.append(took)
        return result

    async def watch(self) -> None:
        process = psutil.Process()
        process.cpu_percent()
        while True:
            await asyncio.sleep(1)
            self.busiest = max(self.busiest, process.cpu_percent())
            took, self._second = self._second or [0.0], []
            at = round(time.monotonic() - self._began, 1)
            rate = float(len(took))
            point = Moment(at, self._people, rate, 0, percentile(took, 0.5), percentile(took, 0.95))
            self.history.append(point)
            if len(self.history) % 10 == 0:
                print(
                    f"raw: {at:.0f} s  {rate:,.0f} requests/s  generator {process.cpu_percent():.0f} %", file=sys.stderr
                )

    def rows(self) -> Iterator[Row]:
        for name, times in sorted(self._times.items()):
            middle, high, highest = (percentile(times, share) for share in (0.5, 0.95, 0.99))
            yield Row("RAW", name, len(times), self._failures[name], middle, high, highest, max(times))


async def play(player: Player, tally: Tally, diary: Diary, pause: float) -> None:
    """Start, redeem, again; until cancelled."""
    while True:
        try:
            ticket = await tally.timed("start", player.start(SPRINT))
            await _redeem(player, ticket, tally, diary)
        except (Refused, Unreachable):
            await asyncio.sleep(1)
        await asyncio.sleep(pause)


async def _redeem(player: Player, ticket: Ticket, tally: Tally, diary: Diary) -> None:
    asked, sent = Asked(player.user_id, ticket.points, ticket.ticket_id), time.time()
    try:
        told: Redemption = await tally.timed("redeem", player.redeem(ticket.ticket))
    except BaseException:
        diary.note(Unknown(asked))
        raise
    diary.note(
        Answer(
            asked,
            told.ticket_id,
            told.change,
            told.new_score,
            told.user_version,
            told.replayed,
            sent,
            time.time(),
        )
    )


async def view(client: Client, diary: Diary, *, sampled: bool) -> None:
    """Folds and checks every frame; what is held at the end is written down."""
    name, top, held = uuid4().hex[:8], None, {}
    try:
        async for top in client.live():
            now, before = time.time(), held
            held = {row.user_id: row.score for row in top.rows}
            if sampled and before:
                for user_id, score in held.items():
                    if before.get(user_id) != score:
                        diary.note(Seen(name, user_id, score, now))
    finally:
        _note_view(diary, name, top)


def _note_view(diary: Diary, name: str, top: Top | None) -> None:
    if top is not None:
        diary.note(View(name, top.epoch, top.version, [(row.user_id, row.score) for row in top.rows], True))


@contextmanager
def _process(diary: Diary, tally: Tally) -> Iterator[None]:
    diary.note(Began(time.time()))
    wall, cpu = time.monotonic(), time.process_time()
    yield
    diary.note(Ended(time.process_time() - cpu, time.monotonic() - wall, tally.busiest))


async def run(args: argparse.Namespace) -> Measured:
    """One run of the given length."""
    urls = args.url.split(",")
    tally, diary = Tally(args.players + args.viewers), Diary(args.record)
    async with Client(urls) as client:
        players: list[Player] = []
        if args.tokens:
            players = [Minted(client, account) for account in minted(args.tokens)[: args.players]]
        for _ in range(args.players - len(players)):
            player = Player(client, f"raw-{uuid4().hex[:16]}", PASSWORD)
            await player.enter()
            players.append(player)
        with _process(diary, tally):
            tasks = [asyncio.create_task(play(player, tally, diary, args.pause)) for player in players]
            tasks += [
                asyncio.create_task(view(client, diary, sampled=number < SAMPLED)) for number in range(args.viewers)
            ]
            tasks.append(asyncio.create_task(tally.watch()))
            with suppress(TimeoutError):
                async with asyncio.timeout(args.seconds):
                    await asyncio.gather(*tasks)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
    diary.close()
    again = [Row("RAW", what, count, 0, 0, 0, 0, 0) for what, count in sorted(client.tried_again.items())]
    return Measured(urls, args.seconds, [*tally.rows(), *again], tally.history)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code of the verdict."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.raw", description=__doc__)
    parser.add_argument("--url", required=True, metavar="URL[,URL…]", help="the pods")
    parser.add_argument(
        "--tokens", type=Path, metavar="FILE", help="what `laurel token mint` wrote; without, they register"
    )
    parser.add_argument(
        "--players", type=int, default=64, help="each one redeems one ticket after another (default 64)"
    )
    parser.add_argument("--viewers", type=int, default=20, help="sockets whose frames are folded (default 20)")
    parser.add_argument("--pause", type=float, default=0.0, metavar="S", help="between two redemptions (default 0)")
    parser.add_argument("--seconds", type=float, default=30, help="length of the run (default 30)")
    parser.add_argument("--record", type=Path, default=Path(".laurel/load"), metavar="DIR", help="default .laurel/load")
    parser.add_argument("--data", metavar="DIR", help="data folder of a running `laurel up`, for the verdict")
    parser.add_argument("--budgets", default=str(BUDGETS), metavar="FILE", help="default loadtests/budgets.toml")
    args = parser.parse_args(arguments)
    try:
        prepare(args.record)
    except OSError as error:
        parser.error(f"nothing can be recorded in {args.record}: {error.strerror}")
    uvloop.run(run(args)).write(args.record)
    data = ["--data", args.data] if args.data else []
    command = [sys.executable, "-m", "loadtests.load.judge", str(args.record), "--budgets", args.budgets, *data]
    return subprocess.run(command, cwd=Path(__file__).parent.parent, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
