"""Redemptions a second with many boards, all of which count every redemption."""

from loadtests.bench import boards, measured
from loadtests.bench.ceiling import PATH
from loadtests.bench.figures import Figure, ratios, rotated
from loadtests.bench.measured import Measured, disturbance, mint_warm, warm_up
from loadtests.bench.plan import USUAL, Plan
from loadtests.bench.pods import pid_of
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Load
from models.board import Fold

ONE = "1 board"
LIMITS = {"8 boards": (0.8, 0.9), "40 boards": (0.5, 0.7)}
"""Least and wanted share of the rate with one board."""
MOVED = "40 boards, all of them moved"
MOVING = (Fold.SUM, Fold.LAST)
"""Folds that every redemption moves: on a board of bests equal points change nothing."""


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """One, eight and forty boards in turns, each round on a fresh database."""
    names = [ONE, *LIMITS, MOVED]
    found: dict[str, list[Measured]] = {name: [] for name in names}
    for turn in range(plan.rounds):
        warm = mint_warm(stage)
        load = stage.mint.write(stage.work / "load", stage.players, plan.tickets)
        for name in rotated(names, turn):
            with stage.fresh("boards") as database:
                folds = MOVING if name == MOVED else Fold
                boards.define(stage, database, int(name.partition(" ")[0]), folds)
                with stage.pods(database) as (pod,):
                    warm_up(pod.url + PATH, warm)
                    one = measured.measure(stage, pid_of(pod), pod.url + PATH, Load(USUAL, plan.seconds, load))
            found[name].append(one)
            plan.say(f"round {turn + 1}: {name}: {one}")
    rates = {name: [one.answers.rate for one in runs] for name, runs in found.items()}
    note = disturbance(one for runs in found.values() for one in runs)
    of_every_fold = "of every fold and window; where bests count, equal points move nothing"
    return [
        Figure(
            f"redemptions/s with {name} ÷ with 1",
            ratios(rates[name], rates[ONE]),
            "×",
            "at least",
            *limits,
            "; ".join(filter(None, (of_every_fold, note))),
        )
        for name, limits in LIMITS.items()
    ] + [Figure(f"redemptions/s with {MOVED} ÷ with 1", ratios(rates[MOVED], rates[ONE]), "×")]
