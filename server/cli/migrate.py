"""`laurel migrate`: brings the database's schema up to date."""

import argparse
import asyncio
import sys
from collections.abc import Mapping

from server.cli.servers import load_settings, require_direct, servers

NAME = "migrate"
HELP = "applies missing migrations to the database"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Prints the name of every migration applied. Several at once do no harm: the second waits for the first. "
        "`laurel up` does this by itself; pods that are served by `laurel serve` need it done before."
    )
    parser.add_argument("--check", action="store_true", help="applies nothing; lists what is missing and fails then")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings = load_settings(args, environ)
    if settings.database_url:  # a job that migrates needs neither Redis nor keys
        return _run(settings.database_url, check=args.check)
    with servers(args, environ) as found:
        return _run(str(found.database_url), check=args.check)


def _run(url: str, *, check: bool) -> int:
    from models.migrate import migrate, missing

    if not check:
        require_direct(url, "migrations hold a lock of their session")
    names = asyncio.run(missing(url) if check else migrate(url))
    for name in names:
        print(name)
    if not names:
        print("the schema is up to date", file=sys.stderr)
    return 1 if check and names else 0
