"""A thousand viewers come back at once: the time until all of them are current."""

import subprocess
import sys
import time

import msgspec

from loadtests.bench.ceiling import PATH
from loadtests.bench.crowd import LIVE, STEPS
from loadtests.bench.figures import Figure
from loadtests.bench.measured import mint_warm, warm_up
from loadtests.bench.plan import Plan
from loadtests.bench.pods import port_of
from loadtests.bench.processes import BenchError
from loadtests.bench.returning import Returned
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Generator, Load
from server.embedded.processes import end_child

HOT, CONNECTIONS, SECONDS = 10, 8, 1.0
SETTLED_SECONDS = 0.5


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Everybody is cut off from one pod, the top changes, everybody returns with its position."""
    halves, wholes = [], []
    for turn in range(plan.rounds):
        returned = _round(stage, plan)
        halves.append(returned.half * 1e3)
        wholes.append(returned.all * 1e3)
        plan.say(
            f"round {turn + 1}: half of {returned.viewers:,} current in {halves[-1]:.0f} ms, all in {wholes[-1]:.0f}"
        )
    note = "one pod; from the first attempt to connect to the last viewer's missed delta, the handshakes in it"
    return [
        Figure(f"resume storm: {plan.viewers:,} viewers return at once, all current", tuple(wholes), "ms", note=note),
        Figure("the same, half of them", tuple(halves), "ms"),
    ]


def _round(stage: Stage, plan: Plan) -> Returned:
    with stage.fresh("storm") as database, stage.pods(database) as (pod,):
        warm_up(pod.url + PATH, mint_warm(stage))
        command = [sys.executable, "-m", "loadtests.bench.returning", str(plan.viewers), str(port_of(pod)), LIVE]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            _answer(process)
            _ask(process, "cut")
            folder = stage.mint.write(stage.work / "storm", stage.players[:HOT], 1_000)
            Generator(pod.url + PATH, Load(CONNECTIONS, SECONDS, folder, pause_ms=20)).finish()
            time.sleep(SETTLED_SECONDS)
            return _ask(process, "return")
        finally:
            end_child(process, STEPS)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _ask(process: "subprocess.Popen[bytes]", word: str) -> Returned:
    assert process.stdin is not None
    process.stdin.write(word.encode() + b"\n")
    process.stdin.flush()
    return _answer(process)


def _answer(process: "subprocess.Popen[bytes]") -> Returned:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise BenchError("the viewers ended")
    return msgspec.json.decode(line, type=Returned)
