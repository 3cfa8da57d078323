"""Redemptions a second with many boards, all of which count every redemption."""

from loadtests.bench import boards
from loadtests.bench.ceiling import PATH
from loadtests.bench.figures import Figure, ratios, rotated
from loadtests.bench.plan import USUAL, Plan
from loadtests.bench.rows.redemption import mint_warm, warm_up
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Load, run

LIMITS = {8: (0.8, 0.9), 40: (0.5, 0.7)}
"""Least and wanted share of the rate with one board."""


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """One, eight and forty boards in turns, each round on a fresh database."""
    counts = [1, *LIMITS]
    rates: dict[int, list[float]] = {count: [] for count in counts}
    for turn in range(plan.rounds):
        warm = mint_warm(stage)
        load = stage.mint.write(stage.work / "load", stage.players, plan.tickets)
        for name in rotated([str(count) for count in counts], turn):
            with stage.fresh("boards") as database:
                boards.define(stage, database, int(name))
                with stage.pods(database) as (pod,):
                    warm_up(pod.url + PATH, warm)
                    rate = run(pod.url + PATH, Load(USUAL, plan.seconds, load)).rate
            rates[int(name)].append(rate)
            plan.say(f"round {turn + 1}: {name} boards: {rate:,.0f}/s")
    return [
        Figure(f"redemptions/s with {count} boards ÷ with 1", ratios(rates[count], rates[1]), "×", "at least", *limits)
        for count, limits in LIMITS.items()
    ]
