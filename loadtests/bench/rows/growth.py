"""Redemptions a second on a ledger that has grown."""

from loadtests.bench.figures import Figure, ratios, rotated
from loadtests.bench.fill import fill
from loadtests.bench.measured import Measured, disturbance, in_turns, mint_warm, up_at_once, usual_loads
from loadtests.bench.plan import Plan
from loadtests.bench.stage import Stage

EMPTY, GROWN = NAMES = ("empty", "grown")


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """A fresh database and a filled one, both up at once; the filled one goes on growing by what is redeemed."""
    found: dict[str, list[Measured]] = {name: [] for name in NAMES}
    with stage.fresh(GROWN):
        plan.say(f"filling {plan.ledger_rows:,} rows")
        fill(stage, GROWN, plan.ledger_rows)
        stage.script(GROWN, "VACUUM ANALYZE")  # as autovacuum would in the middle of a round
        for turn in range(plan.rounds):
            warm = mint_warm(stage)
            load = usual_loads(stage, plan)
            databases = {name: name for name in NAMES}
            with stage.fresh(EMPTY), up_at_once(stage, databases, warm) as servers:
                for name, one in in_turns(stage, servers, rotated(NAMES, turn), load).items():
                    found[name].append(one)
                    plan.say(f"round {turn + 1}: {name} ledger: {one}")
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
