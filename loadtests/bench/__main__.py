"""`python -m loadtests.bench`: measures, prints the table, writes the JSON."""

import argparse
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType

import msgspec

from loadtests.bench import readme, report
from loadtests.bench.figures import Figure
from loadtests.bench.plan import Plan
from loadtests.bench.rows import boards, burst, frames, growth, latency, limits, memory, redemption, statement, storm
from loadtests.bench.stage import Stage

ROWS = {
    "redemption": redemption.measure,
    "growth": growth.measure,
    "boards": boards.measure,
    "limits": limits.measure,
    "frames": frames.measure,
    "burst": burst.measure,
    "latency": latency.measure,
    "storm": storm.measure,
    "memory": memory.measure,
    "statement": statement.measure,
}
QUICK = {"rounds": 1, "seconds": 2, "ledger_rows": 100_000, "idle_actors": 4_000}
FILES = 16_384


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 1 when something could not be measured; a missed bound is a result, not a failure."""
    args = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, leave)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard) if hard > 0 else FILES, hard))
    plan = Plan(**QUICK) if args.quick else Plan()
    given = {name: value for name in ("rounds", "seconds") if (value := getattr(args, name)) is not None}
    plan = replace(plan, **given)
    figures: list[Figure] = []
    failed = False
    with Stage(Path(tempfile.mkdtemp(prefix="laurel-bench-")), plan.players) as stage:
        for row in args.only or ROWS:
            plan.say(f"--- {row}")
            try:
                figures += ROWS[row](stage, plan)
            except Exception:
                # What was measured before must not be lost with it.
                failed = True
                plan.say(f"{row} failed\n{traceback.format_exc()}")
    if figures:
        _publish(figures, plan, args)
    return 1 if failed else 0


def _publish(figures: Sequence[Figure], plan: Plan, args: argparse.Namespace) -> None:
    found = report.document(figures, asdict(plan))
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    text = report.headline(found) + "\n\n" + report.table(figures)
    print(text, flush=True)
    if args.readme is not None:
        try:
            readme.write(args.readme, text)
        except readme.MarkersMissing as error:
            print(f"bench: {error}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description="Measures Laurel on this machine.")
    parser.add_argument("--rounds", type=_positive(int), help="alternating rounds (default 5)")
    parser.add_argument("--seconds", type=_positive(float), help="length of one load (default 3)")
    parser.add_argument(
        "--only", action="append", choices=ROWS, metavar="ROW", help=f"one of {', '.join(ROWS)}; again for more"
    )
    parser.add_argument("--quick", action="store_true", help="one short round, for trying out")
    parser.add_argument(
        "--json", type=Path, default=Path(".laurel/bench.json"), metavar="FILE", help="default .laurel/bench.json"
    )
    parser.add_argument(
        "--readme",
        type=Path,
        nargs="?",
        const=Path("README.md"),
        metavar="FILE",
        help="writes the Numbers there too (default README.md)",
    )
    return parser


def _positive(kind: type[int] | type[float]):  # type: ignore[no-untyped-def]
    def parse(text: str) -> float:
        value = kind(text)
        if not value > 0:
            raise ValueError
        return value

    return parse


def leave(number: int, frame: FrameType | None) -> None:
    """Ends as an exception does, so that what was started is stopped."""
    del frame
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
