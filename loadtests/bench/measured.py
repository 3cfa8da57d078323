"""One load against one server: answers, CPU, and how much others disturbed it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from statistics import fmean

import psutil

from loadtests.bench.ceiling import PATH
from loadtests.bench.minting import Player
from loadtests.bench.plan import FASTEST, USUAL, Plan
from loadtests.bench.pods import pid_of
from loadtests.bench.stage import Cpu, Stage
from loadtests.bench.wrk import Answers, Load, run

WARM_SECONDS = 1
"""Before the clock starts every player redeems: actors, plans and pools are there then."""
NOISE_PERCENT = 10.0
PARTS = 2
"""Loads of a server in a round: there and back."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is loaded, and its process."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What a load yielded and used."""

    answers: Answers
    cpu: Cpu

    def micros(self, seconds: float) -> float:
        """CPU seconds as microseconds an answer."""
        return seconds / self.answers.answers * 1e6

    @property
    def others(self) -> float:
        """Share of the machine, in percent, that went to processes that are none of the benchmark's."""
        foreign = self.cpu.machine - self.cpu.total - self.answers.cpu
        return max(0.0, 100 * foreign / (self.answers.seconds * (psutil.cpu_count() or 1)))

    def __str__(self) -> str:
        found = self.answers
        return (
            f"{found.rate:,.0f}/s, p50 {found.p50 * 1e3:.1f} ms, p99 {found.p99 * 1e3:.1f} ms, "
            f"server {self.micros(self.cpu.server):.0f} µs, others {self.others:.0f} %"
        )


def measure(stage: Stage, pid: int, url: str, load: Load) -> Measured:
    """Runs a load against a server."""
    before = stage.cpu(pid)
    answers = run(url, load)
    return Measured(answers, stage.cpu(pid).since(before))


def in_turns(
    stage: Stage, servers: Mapping[str, Server], order: Sequence[str], load: Callable[[str, int], Load]
) -> dict[str, Measured]:
    """Loads servers that are all up, there and back in an order: what the host does meanwhile hits them alike.

    `load` is of a server and a part; each part's tickets are fresh.
    """
    parts: dict[str, list[Measured]] = {name: [] for name in order}
    for name in (*order, *reversed(order)):
        server = servers[name]
        parts[name].append(measure(stage, server.pid, server.url, load(name, len(parts[name]))))
    return {name: _together(found) for name, found in parts.items()}


def _together(parts: Sequence[Measured]) -> Measured:
    """All of it as one; a percentile is the parts' mean."""
    answers = [part.answers for part in parts]
    return Measured(
        Answers(
            sum(found.answers for found in answers),
            sum(found.refused for found in answers),
            sum(found.seconds for found in answers),
            fmean(found.p50 for found in answers),
            fmean(found.p99 for found in answers),
            sum(found.cpu for found in answers),
        ),
        reduce(Cpu.plus, [part.cpu for part in parts]),
    )


@contextmanager
def up_at_once(
    stage: Stage, databases: Mapping[str, str], warm: Path, settings: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[dict[str, Server]]:
    """A warm pod on each database, with a database of Redis of its own; `settings` are each pod's."""
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        for number, (name, database) in enumerate(databases.items()):
            own = {**(settings or {}).get(name, {}), "LAUREL_REDIS_URL": stage.redis_url(number)}
            (pod,) = stack.enter_context(stage.pods(database, settings=own))
            servers[name] = Server(pod.url + PATH, pid_of(pod))
            warm_up(servers[name].url, warm)
        yield servers


def usual_loads(stage: Stage, plan: Plan) -> Callable[[str, int], Load]:
    """The usual load for `in_turns`: the same for each server, each part with tickets of its own."""
    parts = [stage.mint.write(stage.work / f"load-{part}", stage.players, plan.tickets) for part in range(PARTS)]
    return lambda name, part: Load(USUAL, plan.seconds, parts[part])


def mint_warm(stage: Stage, name: str = "warm", players: Sequence[Player] = ()) -> Path:
    """Tickets of these players, or of all, for `warm_up`."""
    return stage.mint.write(stage.work / name, list(players or stage.players), WARM_SECONDS * FASTEST)


def warm_up(url: str, folder: Path) -> int:
    """Players redeem in turn; how much was answered."""
    return run(url, Load(USUAL, WARM_SECONDS, folder)).answers


def disturbance(found: Iterable[Measured]) -> str:
    """A word on other processes, if they took so much that the rates are in doubt."""
    shares = [measured.others for measured in found]
    noisy = sum(share > NOISE_PERCENT for share in shares)
    if not noisy:
        return ""
    return f"other processes took up to {max(shares):.0f} % of the machine in {noisy} of {len(shares)} loads"
