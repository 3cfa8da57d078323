"""Server CPU for each frame that reaches a viewer, beside a minimal broadcaster."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loadtests.bench.ceiling import PATH
from loadtests.bench.crowd import Crowd
from loadtests.bench.figures import Figure, ratios, rotated
from loadtests.bench.plan import Plan
from loadtests.bench.pods import pid_of, port_of
from loadtests.bench.processes import cpu_seconds
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Generator, Load
from server.embedded.pods import Pod

LAUREL, BROADCASTER = NAMES = ("laurel", "broadcaster")
HOT = 10
"""Players who overtake one another, so that every redemption changes the top."""
CONNECTIONS, PER_SECOND = 8, 60
FRAMES_PER_SECOND = 20
SECONDS = 6.0
"""Long, because CPU is read in steps of 10 ms."""
LEAD_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Delivered:
    """Frames that were read by viewers meanwhile, and what they cost; `idle` is CPU a second with nothing to send."""

    frames: int
    payload_bytes: int
    cpu: float
    seconds: float
    idle: float = 0.0

    @property
    def micros(self) -> float:
        """CPU of the server a frame."""
        return self.cpu / self.frames * 1e6

    @property
    def net_micros(self) -> float:
        """The same without what the server uses anyway."""
        return (self.cpu - self.idle * self.seconds) / self.frames * 1e6


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """A pod that only shows what another pod redeems, and picows sending frames of the same size as often."""
    found: dict[str, list[Delivered]] = {name: [] for name in NAMES}
    size = 1_000
    for turn in range(plan.rounds):
        for name in rotated(NAMES, turn):
            if name == LAUREL:
                delivered = _laurel(stage, plan)
                size = delivered.payload_bytes // delivered.frames
            else:
                delivered = _broadcaster(stage, plan, size)
            found[name].append(delivered)
            plan.say(
                f"round {turn + 1}: {name}: {delivered.micros:.2f} µs a frame "
                f"({delivered.net_micros:.2f} without idling), "
                f"{delivered.frames / delivered.seconds:,.0f} frames/s"
            )
    ours = [d.micros for d in found[LAUREL]]
    theirs = [d.micros for d in found[BROADCASTER]]
    net = [d.net_micros for d in found[LAUREL]]
    return [
        Figure(
            f"server CPU a delivered frame, {plan.viewers:,} viewers ÷ picows broadcaster",
            ratios(ours, theirs),
            "×",
            "at most",
            1.15,
            1.0,
            "all CPU of a pod that only shows: reading the stream, folding and encoding are in it, and its idle loops",
        ),
        Figure("the same without the pod's idle CPU", ratios(net, theirs), "×"),
        Figure("server CPU a delivered frame: laurel", tuple(ours), "µs"),
        Figure("server CPU a delivered frame: picows broadcaster", tuple(theirs), "µs"),
    ]


def _laurel(stage: Stage, plan: Plan) -> Delivered:
    with stage.fresh("frames") as database, stage.pods(database, 2) as (redeeming, showing):
        pid = pid_of(showing)
        with Crowd(plan.viewers, [port_of(showing)]) as crowd:
            time.sleep(LEAD_SECONDS)
            idle = _idle(pid, SECONDS / 2)
            with _redemptions(stage, redeeming):
                return _window(crowd, pid, idle)


def _broadcaster(stage: Stage, plan: Plan, size: int) -> Delivered:
    """With the same redemptions beside it, which it does not hear of: they warm caches and cool them alike."""
    with (
        stage.fresh("frames") as database,
        stage.pods(database) as (redeeming,),
        stage.contestant("broadcaster", database, str(size), str(1 / FRAMES_PER_SECOND)) as server,
        Crowd(plan.viewers, [server.port]) as crowd,
        _redemptions(stage, redeeming),
    ):
        return _window(crowd, server.pid, 0.0)


@contextmanager
def _redemptions(stage: Stage, pod: Pod) -> Iterator[None]:
    """Players overtake one another meanwhile, for a little longer than a window lasts."""
    seconds = SECONDS + 2 * LEAD_SECONDS
    folder = stage.mint.write(stage.work / "hot", stage.players[:HOT], int(2 * seconds * PER_SECOND))
    generator = Generator(pod.url + PATH, Load(CONNECTIONS, seconds, folder, pause_ms=1_000 * CONNECTIONS / PER_SECOND))
    try:
        yield
    finally:
        generator.finish()


def _idle(pid: int, seconds: float) -> float:
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / seconds


def _window(crowd: Crowd, pid: int, idle: float) -> Delivered:
    """What is delivered in the middle of a load."""
    time.sleep(LEAD_SECONDS)
    first, used, began = crowd.ask(), cpu_seconds(pid), time.monotonic()
    time.sleep(SECONDS)
    last, after, seconds = crowd.ask(), cpu_seconds(pid), time.monotonic() - began
    return Delivered(last.frames - first.frames, last.payload_bytes - first.payload_bytes, after - used, seconds, idle)
