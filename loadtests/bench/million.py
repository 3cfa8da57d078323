"""`python -m loadtests.bench.million`: a million players on one board; what reading and rebuilding it cost."""

import argparse
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from loadtests.bench import fill, readme, report
from loadtests.bench.__main__ import leave
from loadtests.bench.figures import Figure
from loadtests.bench.plan import Plan
from loadtests.bench.rows import vast
from loadtests.bench.stage import Stage

PLAYERS = 1_000_000
DATABASE = "million"
ADD = """
INSERT INTO players (id) SELECT uuidv7() FROM generate_series(1, $1::int)
"""
ACCOUNTS = """
INSERT INTO accounts (user_id, username, username_key, display_name)
SELECT id, 'player-' || n, 'player-' || n, 'player-' || n FROM (SELECT id, row_number() OVER () AS n FROM players) AS p
ON CONFLICT DO NOTHING
"""
SPREAD = 65_535
"""All have one entry; scores that differ, with many ties, are what reads are about."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 1 when something could not be measured; a missed bound is a result, not a failure."""
    args = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, leave)
    plan = Plan(rounds=1)
    figures: list[Figure] = []
    failed = False
    with Stage(Path(tempfile.mkdtemp(prefix="laurel-million-")), 1) as stage, stage.fresh(DATABASE):
        began = time.monotonic()
        filled(stage, args.players)
        plan.say(f"filled the database in {time.monotonic() - began:.0f} s")
        try:
            vast.measure(stage, plan, DATABASE, args.players, figures)
        except Exception:
            failed = True
            plan.say(f"failed\n{traceback.format_exc()}")
    found = report.document(figures, {"players": args.players})
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    text = report.place(found) + f"; {args.players:,} players.\n\n" + report.table(figures)
    print(text, flush=True)
    if args.readme is not None:
        try:
            readme.write(args.readme, text, readme.MILLION)
        except readme.MarkersMissing as error:
            print(f"million: {error}", file=sys.stderr)
    return 1 if failed else 0


def filled(stage: Stage, players: int) -> None:
    """Fills the database: players with accounts, one entry each, standings and memos that agree with it."""
    stage.rows(DATABASE, ADD, players)
    stage.rows(DATABASE, ACCOUNTS)
    fill.prepare(stage, DATABASE)
    stage.rows(DATABASE, "DELETE FROM boards WHERE board_id <> 'global'")
    stage.rows(DATABASE, "SELECT bench_fill($1, $2)", players, SPREAD)
    stage.script(DATABASE, "ANALYZE")
    stage.rows(DATABASE, "VACUUM")
    stage.settle()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.bench.million",
        description="Fills a database of its own with a million players, then reads, rebuilds, defines, freezes.",
        epilog="Takes 5 to 15 minutes, 4 GB of disk and 1 GB of memory; everything is removed afterwards.",
    )
    parser.add_argument("--players", type=int, default=PLAYERS, metavar="N", help="how many (default 1,000,000)")
    parser.add_argument(
        "--json", type=Path, default=Path(".laurel/million.json"), metavar="FILE", help="default .laurel/million.json"
    )
    parser.add_argument(
        "--readme",
        type=Path,
        nargs="?",
        const=Path("README.md"),
        metavar="FILE",
        help="writes the table there too (default README.md)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
