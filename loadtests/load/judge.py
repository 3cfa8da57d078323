"""`python -m loadtests.load.judge FOLDER`: the verdict on a run that was recorded there."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import asyncpg
from redis.exceptions import RedisError

from loadtests.load import report
from loadtests.load.evidence import Addresses, gather
from loadtests.load.measured import BUDGETS, Budgets, Measured
from loadtests.load.told import Told
from loadtests.load.verdict import Finding, Stores, judge

SETTLE_SECONDS = 20.0
"""Boards are behind the ledger for a moment, longer after an outage."""
PAUSE_SECONDS = 0.5
SETTLING = frozenset({"redis", "board", "fold", "stores"})
UNREADABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, RedisError, aiohttp.ClientError)


async def settled(
    told: Told, measured: Measured, budgets: Budgets, addresses: Addresses, seconds: float = SETTLE_SECONDS
) -> tuple[Stores, list[Finding]]:
    """Looks again until what may still be on its way has arrived."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            stores = await gather(told, measured.hosts, addresses)
            found = judge(told, stores, measured, budgets)
        except UNREADABLE as error:
            stores, found = (
                Stores(),
                [Finding("stores", f"cannot be looked into: {type(error).__name__} {error}".strip())],
            )
        if not SETTLING & {finding.kind for finding in found} or time.monotonic() > deadline:
            return stores, found
        await asyncio.sleep(PAUSE_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when nothing broke, else 1."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.load.judge", description=__doc__)
    parser.add_argument("folder", type=Path, help="where a run was recorded")
    parser.add_argument("--budgets", type=Path, default=BUDGETS, metavar="FILE", help=f"default {BUDGETS.name}")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="data folder of a running `laurel up`, to look into its stores; else LAUREL_DATABASE_URL and "
        "LAUREL_REDIS_URL, else the public API alone",
    )
    parser.add_argument("--settle", type=float, default=SETTLE_SECONDS, metavar="S", help="seconds to settle")
    args = parser.parse_args(arguments)
    told, measured, budgets = Told.read(args.folder), Measured.read(args.folder), Budgets.read(args.budgets)
    addresses = Addresses.find(measured.hosts, args.data)
    stores, found = asyncio.run(settled(told, measured, budgets, addresses, args.settle))
    page = args.folder / "report.html"
    page.write_text(report.page(told, stores, measured, found))
    print(report.text(told, stores, measured, found), f"report: {page}", sep="\n", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
