"""Redemptions a second, their p99 and CPU, beside a textbook server and the ceiling."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from loadtests.bench.ceiling import PATH
from loadtests.bench.figures import Figure, ratios, rotated
from loadtests.bench.measured import PARTS, Measured, Server, disturbance, in_turns, mint_warm, warm_up
from loadtests.bench.plan import CONNECTIONS, USUAL, Plan
from loadtests.bench.pods import pid_of
from loadtests.bench.processes import BenchError
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Load

LAUREL, TEXTBOOK, CEILING = NAMES = ("laurel", "textbook", "ceiling")
Key = tuple[str, int]


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Three servers, three numbers of connections, each round on fresh databases."""
    found: dict[Key, list[Measured]] = {(name, count): [] for name in NAMES for count in CONNECTIONS}
    for turn in range(plan.rounds):
        warm = mint_warm(stage)
        loads = {(n, part): _mint(stage, plan, f"{n}-{part}") for n in CONNECTIONS for part in range(PARTS)}
        with stage.fresh("round") as database, stage.fresh("rivals") as rivals:
            with _servers(stage, database, rivals) as servers:
                warmed = {name: warm_up(server.url, warm) for name, server in servers.items()}
                answers = warmed[LAUREL]
                for count in CONNECTIONS:
                    ones = in_turns(stage, servers, rotated(NAMES, turn), partial(_load, plan, loads, count))
                    answers += ones[LAUREL].answers.answers
                    for name, one in ones.items():
                        found[(name, count)].append(one)
                        plan.say(f"round {turn + 1}: {name}, {count} connections: {one}")
            check_durable(stage, database, answers)
    return _figures(found)


def _mint(stage: Stage, plan: Plan, name: str) -> Path:
    return stage.mint.write(stage.work / f"load-{name}", stage.players, plan.tickets)


def _load(plan: Plan, folders: Mapping[tuple[int, int], Path], count: int, name: str, part: int) -> Load:
    return Load(count, plan.seconds, folders[(count, part)], again=name == CEILING)


@contextmanager
def _servers(stage: Stage, database: str, rivals: str) -> Iterator[Mapping[str, Server]]:
    """All three at once; Laurel's database is its own."""
    with (
        stage.pods(database) as (pod,),
        stage.contestant(TEXTBOOK, rivals) as textbook,
        stage.contestant(CEILING, rivals) as ceiling,
    ):
        yield {
            LAUREL: Server(pod.url + PATH, pid_of(pod)),
            TEXTBOOK: Server(f"{textbook.url}{PATH}", textbook.pid),
            CEILING: Server(f"{ceiling.url}{PATH}", ceiling.pid),
        }


def check_durable(stage: Stage, database: str, answers: int) -> None:
    """Every answer stands in the ledger, and little more: what was under way when a load ended."""
    (row,) = stage.rows(database, "SELECT count(*) AS entries FROM ledger WHERE kind = 'redeem'")
    if not answers <= row["entries"] <= answers + USUAL + PARTS * sum(CONNECTIONS):
        raise BenchError(f"{answers} answers, but {row['entries']} entries in the ledger")


def _figures(found: dict[Key, list[Measured]]) -> list[Figure]:
    def rates(name: str, count: int = USUAL) -> tuple[float, ...]:
        return tuple(m.answers.rate for m in found[(name, count)])

    def tails(name: str, count: int = USUAL) -> tuple[float, ...]:
        return tuple(m.answers.p99 * 1e3 for m in found[(name, count)])

    usual = found[(LAUREL, USUAL)]
    figures = [
        Figure(
            "redemptions/s ÷ textbook server",
            ratios(rates(LAUREL), rates(TEXTBOOK)),
            "×",
            "at least",
            4,
            6,
            "one transaction and three Redis commands a request, asyncpg's pool as it comes; the same checks of token "
            "and ticket",
        ),
        Figure(
            "redemptions/s ÷ ceiling",
            ratios(rates(LAUREL), rates(CEILING)),
            "×",
            "at least",
            0.9,
            1.3,
            "the ceiling checks token and ticket, answers at once, stores and remembers nothing; all three are up at "
            "once, and each round loads them there and back",
        ),
        Figure("p99 of a redemption ÷ ceiling's", ratios(tails(LAUREL), tails(CEILING)), "×", "at most", 2, 1.3),
        *(
            Figure(f"the same, {count} connections", ratios(tails(LAUREL, count), tails(CEILING, count)), "×")
            for count in CONNECTIONS
            if count != USUAL
        ),
    ]
    for count in CONNECTIONS:
        for name in NAMES:
            figures.append(Figure(f"{name}: redemptions/s, {count} connections", rates(name, count), "/s"))
            figures.append(Figure(f"{name}: p99, {count} connections", tails(name, count), "ms"))
    parts = {
        "all processes": [m.micros(m.cpu.total) for m in usual],
        "server": [m.micros(m.cpu.server) for m in usual],
        "PostgreSQL": [m.micros(m.cpu.postgres) for m in usual],
        "Redis": [m.micros(m.cpu.redis) for m in usual],
        "generator, beside these": [m.micros(m.answers.cpu) for m in usual],
    }
    figures += [Figure(f"CPU a redemption: {part}", tuple(values), "µs") for part, values in parts.items()]
    for name in (TEXTBOOK, CEILING):
        servers = tuple(m.micros(m.cpu.server) for m in found[(name, USUAL)])
        figures.append(Figure(f"CPU a redemption: {name} server", servers, "µs"))
        values = tuple(m.micros(m.cpu.total) for m in found[(name, USUAL)])
        figures.append(Figure(f"CPU a redemption: {name} server with its stores", values, "µs"))
    runs = [m for row in found.values() for m in row]
    note = disturbance(runs)
    figures.append(Figure("machine used by other processes meanwhile", tuple(m.others for m in runs), "%", note=note))
    return figures
