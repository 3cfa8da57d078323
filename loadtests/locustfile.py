"""People for locust: `locust -f loadtests/locustfile.py --host URL[,URL…]`; see `make load`."""

import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadtests.load import told
from loadtests.load.accounts import Accounts
from loadtests.load.admins import Administrator
from loadtests.load.cheaters import Cheater
from loadtests.load.measured import BUDGETS, OWN, Measured, Moment, Row
from loadtests.load.measures import CPU, Measures
from loadtests.load.person import Ground
from loadtests.load.players import Player
from loadtests.load.pollers import Poller
from loadtests.load.shapes import SHAPES, Chosen
from loadtests.load.viewers import Viewer

__all__ = ["Administrator", "Cheater", "Chosen", "Player", "Poller", "Viewer"]

PROGRESS_SECONDS = 10
ENDING_SECONDS = 15.0
ROOT = Path(__file__).parent.parent


@events.init_command_line_parser.add_listener
def add_arguments(parser: ArgumentParser, **_: Any) -> None:
    group = parser.add_argument_group("Laurel", "--host takes several pods, separated by commas")
    group.add_argument("--shape", choices=SHAPES, default="steady", help="how many people when (default steady)")
    group.add_argument("--tokens", metavar="FILE", help="what `laurel token mint` wrote; without, people register")
    group.add_argument("--admin-tokens", metavar="FILE", help="likewise, with --admin: lets administrators in")
    group.add_argument(
        "--record", metavar="DIR", default=".laurel/load", help="for what people were told, and the report"
    )
    group.add_argument(
        "--data", metavar="DIR", help="data folder of a running `laurel up`: the verdict looks into its stores"
    )
    group.add_argument("--budgets", metavar="FILE", default=str(BUDGETS), help="default loadtests/budgets.toml")


@events.init.add_listener
def prepare(environment: Environment, runner: Any, **_: Any) -> None:
    """Nothing is made before: with --processes, here the processes have parted."""
    options = environment.parsed_options
    if options is None:
        return
    measures = Measures(environment, Path(options.record))
    if isinstance(runner, WorkerRunner):
        environment.ground = None  # type: ignore[attr-defined]
    else:
        try:
            told.prepare(Path(options.record))
        except OSError as error:
            sys.exit(f"load: nothing can be recorded in --record {options.record}: {error.strerror}")
        gevent.spawn(_progress, environment, runner, measures)

    @events.test_start.add_listener
    def begin(environment: Environment, **_: Any) -> None:
        if isinstance(runner, MasterRunner):
            return
        part, parts = max(0, runner.worker_index), options.processes or options.expect_workers or 1
        hosts = [host.strip().rstrip("/") for host in (environment.host or "").split(",")]
        environment.ground = Ground(  # type: ignore[attr-defined]
            hosts,
            Accounts.read(Path(options.tokens) if options.tokens else None, part, parts),
            Accounts.read(Path(options.admin_tokens) if options.admin_tokens else None, part, parts),
            measures,
        )
        measures.begin()

    @events.test_stop.add_listener
    def end(**_: Any) -> None:
        measures.end()


@events.quitting.add_listener
def judge(environment: Environment, **_: Any) -> None:
    """Judges what was recorded; the exit code is the verdict's."""
    runner, options = environment.runner, environment.parsed_options
    if runner is None or options is None or isinstance(runner, WorkerRunner):
        return
    if not environment.stats.num_requests:
        if options.headless:
            _VERDICT.append("Verdict: FAILED, nothing was asked")
            environment.process_exit_code = 1
        return
    runner.quit()
    folder = Path(options.record)
    deadline = time.monotonic() + ENDING_SECONDS
    while not told.all_ended(folder) and time.monotonic() < deadline:
        gevent.sleep(0.2)
    _measured(environment).write(folder)
    data = ["--data", options.data] if options.data else []
    command = [sys.executable, "-m", "loadtests.load.judge", str(folder), "--budgets", options.budgets, *data]
    found = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    _VERDICT.append(found.stdout.rstrip())
    environment.process_exit_code = found.returncode


@events.quit.add_listener
def tell(**_: Any) -> None:
    """The verdict comes last, where a log is read first."""
    for text in _VERDICT:
        print(text, flush=True)


def _measured(environment: Environment) -> Measured:
    stats = environment.stats
    rows = [
        Row(
            str(entry.method),
            str(entry.name),
            entry.num_requests,
            entry.num_failures,
            entry.get_response_time_percentile(0.5) or 0,
            entry.get_response_time_percentile(0.95) or 0,
            entry.get_response_time_percentile(0.99) or 0,
            entry.max_response_time,
        )
        for entry in sorted(stats.entries.values(), key=lambda entry: (str(entry.method), str(entry.name)))
    ]
    errors = Counter[str]()
    for error in stats.errors.values():
        errors[f"{error.method} {error.name}: {error.error}"] += error.occurrences
    return Measured(
        hosts=[host.strip().rstrip("/") for host in (environment.host or "").split(",")],
        seconds=(stats.last_request_timestamp or stats.start_time) - stats.start_time,
        rows=rows,
        history=_HISTORY,
        errors=[f"{text} ({count:,} times)" for text, count in errors.most_common(10)],
    )


_HISTORY: list[Moment] = []
_VERDICT: list[str] = []


def _progress(environment: Environment, runner: Any, measures: Measures) -> None:
    """A point of the charts each second, and a line for the terminal now and then."""
    began = 0.0
    while True:
        gevent.sleep(1)
        total = environment.stats.total
        if not runner.user_count:
            continue
        began = began or time.monotonic()
        at = time.monotonic() - began
        moment = Moment(
            round(at, 1),
            runner.user_count,
            total.current_rps,
            total.current_fail_per_sec,
            total.get_current_response_time_percentile(0.5) or 0,
            total.get_current_response_time_percentile(0.95) or 0,
        )
        _HISTORY.append(moment)
        if len(_HISTORY) % PROGRESS_SECONDS == 0:
            busy = environment.stats.entries.get((CPU, OWN))
            percent = busy.avg_response_time if busy else measures.busy_percent
            print(
                f"load: {at:4.0f} s  {moment.people} people  {moment.requests:,.0f} requests and events/s  "
                f"{environment.stats.total.num_failures:,} failed  generator {percent:.0f} % of a core",
                file=sys.stderr,
                flush=True,
            )
