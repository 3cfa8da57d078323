"""Redemptions a second with many boards, all of which count every redemption."""

from loadtests.bench import boards, measured
from loadtests.bench.ceiling import PATH
from loadtests.bench.figures import Figure, ratios, rotated
from loadtests.bench.measured import Measured, disturbance, mint_warm, warm_up
from loadtests.bench.plan import USUAL, Plan
from loadtests.bench.pods import pid_of
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Load

LIMITS = {8: (0.8, 0.9), 40: (0.5, 0.7)}
"""Least and wanted share of the rate with one board."""


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """One, eight and forty boards in turns, each round on a fresh database."""
    counts = [1, *LIMITS]
    found: dict[int, list[Measured]] = {count: [] for count in counts}
    for turn in range(plan.rounds):
        warm = mint_warm(stage)
        load = stage.mint.write(stage.work / "load", stage.players, plan.tickets)
        for name in rotated([str(count) for count in counts], turn):
            with stage.fresh("boards") as database:
                boards.define(stage, database, int(name))
                with stage.pods(database) as (pod,):
                    warm_up(pod.url + PATH, warm)
                    one = measured.measure(stage, pid_of(pod), pod.url + PATH, Load(USUAL, plan.seconds, load))
            found[int(name)].append(one)
            plan.say(f"round {turn + 1}: {name} boards: {one}")
    rates = {count: [one.answers.rate for one in runs] for count, runs in found.items()}
    note = disturbance(one for runs in found.values() for one in runs)
    return [
        Figure(
            f"redemptions/s with {count} boards ÷ with 1",
            ratios(rates[count], rates[1]),
            "×",
            "at least",
            *limits,
            note,
        )
        for count, limits in LIMITS.items()
    ]
