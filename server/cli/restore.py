"""`laurel restore`: a database from a backup, and its boards."""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from server.cli.progress import Progress
from server.cli.rebuild import rebuild
from server.cli.servers import CommandError, servers
from server.settings import Settings

NAME = "restore"
HELP = "fills a database from a backup and rebuilds its boards"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Stop the pods first: a state in their memory would outlive the restore. A database that holds tables is left "
        "alone unless --force is given, and comes back as it was when the restore fails. Missing migrations are "
        "applied, boards in Redis are removed and rebuilt under new epochs. Then compare with a checkpoint that was "
        "kept elsewhere: laurel audit verify --checkpoint FILE"
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--force", action="store_true", help="replaces what is in the database")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from actors.ordering import AWAY
    from models.errors import ModelError
    from server.dump import DumpError, seconds_since

    began = time.monotonic()
    if not args.file.is_file():
        raise CommandError(f"cannot read {args.file}")
    with servers(args, environ) as settings:
        try:
            with Progress() as progress:
                asyncio.run(_restore(settings, args.file, args.force, progress))
            asyncio.run(_boards(settings))
        except DumpError as error:
            raise CommandError(f"{args.file}: {error}") from error
        except ModelError:
            raise
        except AWAY as error:
            text = " ".join(str(error).split())
            raise CommandError(f"the database is restored, but Redis does not answer: {text}") from error
    print(f"restored in {seconds_since(began)}", file=sys.stderr)
    return 0


async def _restore(settings: Settings, file: Path, force: bool, progress: Progress) -> None:
    from models.emptying import administering, forget, is_empty, pods_connected, put_aside, put_back, server_major
    from models.migrate import migrate
    from server.cli.database import direct
    from server.dump import Programs, seconds_since

    url, began = direct(settings), time.monotonic()
    async with administering(url) as connection:
        if pods := await pods_connected(connection):
            raise CommandError(f"pods are connected to the database ({pods} connections): stop them first")
        programs = Programs.for_server(await server_major(connection))
        programs.check(file, lambda: progress.show(f"reading {file.name}"))
        empty = await is_empty(connection)
        if not empty and not force:
            raise CommandError("the database is not empty: --force replaces what is in it")
        if not empty:
            await put_aside(connection)
        try:
            programs.restore(url, file, lambda: progress.show(f"restoring, {seconds_since(began)}"))
        except BaseException:
            if not empty:
                await put_back(connection)
            raise
        if not empty:
            await forget(connection)
    for name in await migrate(url):
        print(f"applied {name}", file=sys.stderr)


async def _boards(settings: Settings) -> None:
    """New epochs for all boards: what Redis held belongs to another history."""
    from actors.ordering import Ordering

    ordering = Ordering(str(settings.redis_url))
    try:
        await ordering.forget_boards()
    finally:
        await ordering.close()
    await rebuild(settings, None)
