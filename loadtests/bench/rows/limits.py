"""What limits cost a redemption, end to end."""

from loadtests.bench import measured
from loadtests.bench.ceiling import PATH
from loadtests.bench.figures import Figure, ratios, rotated
from loadtests.bench.measured import WARM_SECONDS, Measured, disturbance, mint_warm, warm_up
from loadtests.bench.plan import FASTEST, USUAL, Plan
from loadtests.bench.pods import pid_of
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Load

LIFTED, IN_FORCE = "lifted", "in force"
LEAST, WANTED = 0.9, 0.95
USUAL_QUOTA = 120
"""A player's redemptions a minute, unless the load has more: a larger quota is asked about less often."""


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Lifted and in force in turns, each round on fresh databases; in force they refuse nothing."""
    found: dict[str, list[Measured]] = {LIFTED: [], IN_FORCE: []}
    uses = (plan.tickets + WARM_SECONDS * FASTEST) // len(stage.players)
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
        load = stage.mint.write(stage.work / "load", stage.players, plan.tickets)
        for name in rotated((LIFTED, IN_FORCE), turn):
            with stage.fresh("limits") as database, stage.pods(database, settings=settings[name]) as (pod,):
                warm_up(pod.url + PATH, warm)
                one = measured.measure(stage, pid_of(pod), pod.url + PATH, Load(USUAL, plan.seconds, load))
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
