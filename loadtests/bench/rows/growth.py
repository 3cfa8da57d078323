"""Redemptions a second on a ledger that has grown."""

from pathlib import Path

from loadtests.bench import measured
from loadtests.bench.ceiling import PATH
from loadtests.bench.figures import Figure, ratios, rotated
from loadtests.bench.fill import fill
from loadtests.bench.measured import Measured, disturbance, mint_warm, warm_up
from loadtests.bench.plan import USUAL, Plan
from loadtests.bench.pods import pid_of
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Load

EMPTY, GROWN = "empty", "grown"


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """A fresh database and a filled one in turns; the filled one goes on growing by what is redeemed."""
    found: dict[str, list[Measured]] = {EMPTY: [], GROWN: []}
    with stage.fresh(GROWN):
        plan.say(f"filling {plan.ledger_rows:,} rows")
        fill(stage, GROWN, plan.ledger_rows)
        stage.script(GROWN, "VACUUM ANALYZE")  # as autovacuum would in the middle of a round
        for turn in range(plan.rounds):
            warm = mint_warm(stage)
            load = stage.mint.write(stage.work / "load", stage.players, plan.tickets)
            for name in rotated((EMPTY, GROWN), turn):
                found[name].append(_round(stage, plan, name, warm, load))
                plan.say(f"round {turn + 1}: {name} ledger: {found[name][-1]}")
    rates = {name: [one.answers.rate for one in runs] for name, runs in found.items()}
    return [
        Figure(
            f"redemptions/s after {plan.ledger_rows:,} ledger rows ÷ empty",
            ratios(rates[GROWN], rates[EMPTY]),
            "×",
            "at least",
            0.9,
            1.0,
            disturbance([*found[EMPTY], *found[GROWN]]),
        )
    ]


def _round(stage: Stage, plan: Plan, name: str, warm: Path, load: Path) -> Measured:
    if name == EMPTY:
        with stage.fresh(EMPTY) as database:
            return _one(stage, plan, database, warm, load)
    stage.settle()
    return _one(stage, plan, name, warm, load)


def _one(stage: Stage, plan: Plan, database: str, warm: Path, load: Path) -> Measured:
    with stage.pods(database) as (pod,):
        warm_up(pod.url + PATH, warm)
        return measured.measure(stage, pid_of(pod), pod.url + PATH, Load(USUAL, plan.seconds, load))
