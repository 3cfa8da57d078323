"""What limits cost a redemption, end to end."""

from contextlib import ExitStack

from loadtests.bench.figures import Figure, ratios, rotated
from loadtests.bench.measured import (
    PARTS,
    WARM_SECONDS,
    Measured,
    disturbance,
    in_turns,
    mint_warm,
    up_at_once,
    usual_loads,
)
from loadtests.bench.plan import FASTEST, Plan
from loadtests.bench.stage import Stage

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
        load = usual_loads(stage, plan)
        with ExitStack() as stack:
            databases = {name: stack.enter_context(stage.fresh(f"limits_{n}")) for n, name in enumerate(NAMES)}
            servers = stack.enter_context(up_at_once(stage, databases, warm, settings))
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
