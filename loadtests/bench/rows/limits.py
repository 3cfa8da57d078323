"""What limits cost a redemption, end to end."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from loadtests.bench.ceiling import PATH
from loadtests.bench.figures import Figure, ratios, rotated
from loadtests.bench.measured import (
    PARTS,
    WARM_SECONDS,
    Measured,
    Server,
    disturbance,
    in_turns,
    mint_warm,
    warm_up,
)
from loadtests.bench.plan import FASTEST, USUAL, Plan
from loadtests.bench.pods import pid_of
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Load

LIFTED, IN_FORCE = NAMES = ("lifted", "in force")
LEAST, WANTED = 0.9, 0.95
USUAL_QUOTA = 120
"""A player's redemptions a minute, unless the load has more: a larger quota is asked about less often."""


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Two pods that are up at once, each round on fresh databases; the limits in force refuse nothing."""
    found: dict[str, list[Measured]] = {LIFTED: [], IN_FORCE: []}
    uses = (PARTS * plan.tickets + WARM_SECONDS * FASTEST) // len(stage.players)
    settings = {
        LIFTED: {"LAUREL_LOAD_TEST": "true"},
        IN_FORCE: {
            "LAUREL_LOAD_TEST": "false",
            "LAUREL_RATE_LIMIT_REDEEM": f"{max(USUAL_QUOTA, 2 * uses)}/minute",
            "LAUREL_RATE_LIMIT_READS": "1000000/minute",  # of whoever waits for the pod
        },
    }
    for turn in range(plan.rounds):
        warm = mint_warm(stage)
        loads = [stage.mint.write(stage.work / f"load-{part}", stage.players, plan.tickets) for part in range(PARTS)]
        with ExitStack() as stack:
            databases = [stack.enter_context(stage.fresh(f"limits_{number}")) for number in range(len(NAMES))]
            servers: dict[str, Server] = {}
            for number, (name, database) in enumerate(zip(NAMES, databases, strict=True)):
                own = settings[name] | {"LAUREL_REDIS_URL": stage.redis_url(number)}
                (pod,) = stack.enter_context(stage.pods(database, settings=own))
                servers[name] = Server(pod.url + PATH, pid_of(pod))
                warm_up(servers[name].url, warm)
            load = partial(_load, plan, loads)
            for name, one in in_turns(stage, servers, rotated(NAMES, turn), load).items():
                found[name].append(one)
                plan.say(f"round {turn + 1}: limits {name}: {one}")
    rates = {name: [one.answers.rate for one in runs] for name, runs in found.items()}
    micros = [
        after.micros(after.cpu.server) - before.micros(before.cpu.server)
        for after, before in zip(found[IN_FORCE], found[LIFTED], strict=True)
    ]
    return [
        Figure(
            "redemptions/s with limits ÷ without",
            ratios(rates[IN_FORCE], rates[LIFTED]),
            "×",
            "at least",
            LEAST,
            WANTED,
            disturbance([*found[LIFTED], *found[IN_FORCE]]),
        ),
        Figure("server CPU of limits, a redemption", tuple(micros), "µs"),
    ]


def _load(plan: Plan, folders: Sequence[Path], name: str, part: int) -> Load:
    del name
    return Load(USUAL, plan.seconds, folders[part])
