"""Ten thousand changes a second of one board: what a viewer gets of them."""

import asyncio
import time
from itertools import count

from actors.change import Change, Columns, apply_call
from actors.keys import pointer_of
from actors.ordering import Ordering
from loadtests.bench.crowd import Crowd
from loadtests.bench.figures import Figure
from loadtests.bench.plan import Plan
from loadtests.bench.pods import pid_of, port_of
from loadtests.bench.processes import cpu_seconds
from loadtests.bench.stage import Stage
from models.board import Place
from models.ids import UserId
from models.state import Standing

PER_SECOND, BATCH = 10_000, 50
SECONDS = 5.0
HOT = 50
"""Players who overtake one another, so that every batch changes the top."""
PLACE: Place = ("global/1", "all")
FIRST_VERSION = 1_000_000
FRAMES_PER_SECOND = 20


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Changes go straight to Redis, as fast as asked, which no ledger on this machine could write."""
    frames, sizes, rates, shares = [], [], [], []
    hot = [player.user_id for player in stage.players[:HOT]]
    for turn in range(plan.rounds):
        with stage.fresh("burst") as database, stage.pods(database) as (pod,):
            with Crowd(plan.viewers, [port_of(pod)]) as crowd:
                first, used, began = crowd.ask(), cpu_seconds(pid_of(pod)), time.monotonic()
                sent = asyncio.run(_burst(stage.environ(database)["LAUREL_REDIS_URL"], hot))
                last, seconds = crowd.ask(), time.monotonic() - began
            shares.append(100 * (cpu_seconds(pid_of(pod)) - used) / seconds)
        frames.append((last.frames - first.frames) / plan.viewers / seconds)
        sizes.append((last.payload_bytes - first.payload_bytes) / plan.viewers / seconds / 1_024)
        rates.append(sent / seconds)
        plan.say(f"round {turn + 1}: {rates[-1]:,.0f} changes/s, {frames[-1]:.1f} frames/s, {sizes[-1]:.1f} KiB/s each")
    return [
        Figure(
            f"frames/s of a viewer while the board changes {PER_SECOND:,} times a second",
            tuple(frames),
            "/s",
            "at most",
            FRAMES_PER_SECOND + 0.5,
            None,
            f"{plan.viewers:,} viewers on one pod; changes sent to Redis in batches of {BATCH}",
        ),
        Figure("payload a viewer is sent meanwhile", tuple(sizes), "KiB/s"),
        Figure("changes/s meanwhile", tuple(rates), "/s"),
        Figure("CPU of the pod meanwhile", tuple(shares), "%"),
    ]


async def _burst(redis_url: str, players: list[UserId]) -> int:
    """How many changes were sent."""
    ordering = Ordering(redis_url)
    loop = asyncio.get_running_loop()
    began, sent, versions = loop.time(), 0, count(FIRST_VERSION)
    try:
        epoch = str(await ordering.redis.get(pointer_of(PLACE)))
        while loop.time() < began + SECONDS:
            now = int(time.time() * 1000)
            changes = []
            for version in (next(versions) for _ in range(BATCH)):
                user = players[version % HOT]
                changes.append(Change.of(user, version, Standing(version * 7 % 100_003, now)))
            await ordering.run([apply_call(PLACE, epoch, 0, 10, now, Columns.of(changes, now))])
            sent += BATCH
            await asyncio.sleep(max(0.0, began + sent / PER_SECOND - loop.time()))
        return sent
    finally:
        await ordering.close()
