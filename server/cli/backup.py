"""`laurel backup`: the whole database as one file."""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from server.cli.progress import Progress
from server.cli.servers import CommandError, require_direct, servers

NAME = "backup"
HELP = "writes the whole database into one file, of one moment"
MEBIBYTE = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "May run while pods run. The file is PostgreSQL's own (pg_restore reads it too), readable by its owner only, "
        "and takes its name when it was read again whole. The keys are not in it: keep the settings LAUREL_*_KEYS, or "
        "secrets.env of the data folder, apart from it. What Redis holds is not in it either, and not needed."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="where to; one that exists is replaced")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from models.emptying import administering, server_major
    from models.migrate import missing
    from server.dump import DumpError, Programs, seconds_since

    async def major(url: str) -> int:
        if lacking := await missing(url):
            raise CommandError(f"the database lacks {', '.join(lacking)}: run `laurel migrate` first")
        async with administering(url) as connection:
            return await server_major(connection)

    began = time.monotonic()
    if args.file.is_dir():
        raise CommandError(f"cannot write {args.file}: it is a folder")
    with servers(args, environ) as settings, Progress() as progress:
        url = str(settings.database_url)
        require_direct(url, "pg_dump changes the settings of its session")
        try:
            found = Programs.for_server(asyncio.run(major(url)))
            found.dump(url, args.file, lambda: progress.show(f"{seconds_since(began)}"))
        except DumpError as error:
            raise CommandError(str(error)) from error
    size = args.file.stat().st_size
    print(f"{args.file}: {size / MEBIBYTE:.1f} MiB in {seconds_since(began)}", file=sys.stderr)
    return 0
