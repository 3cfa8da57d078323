"""`laurel restore`: a database from a backup, and its boards."""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from server.cli.progress import Progress
from server.cli.rebuild import rebuild
from server.cli.servers import CommandError, require_direct, servers
from server.settings import Settings

if TYPE_CHECKING:
    from models.auditor import Connection

T = TypeVar("T")

NAME = "restore"
HELP = "fills a database from a backup and rebuilds its boards"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Stop the pods first: a state in their memory would outlive the restore. A database that holds tables is left "
        "alone unless --force is given, and comes back as it was when the restore fails. Missing migrations are "
        "applied, boards in Redis are removed and rebuilt under new epochs. Then compare with a checkpoint that was "
        "kept elsewhere: laurel audit verify --checkpoint FILE"
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="what `laurel backup` wrote")
    parser.add_argument("--force", action="store_true", help="replaces what is in the database")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from actors.ordering import AWAY
    from models.errors import ModelError
    from server.dump import DumpError, seconds_since

    began = time.monotonic()
    if not args.file.is_file():
        raise CommandError(f"cannot read {args.file}")
    with servers(args, environ) as settings:
        require_direct(settings.database_url, "pg_restore changes the settings of its session")
        try:
            with Progress() as progress:
                _restore(str(settings.database_url), args.file, args.force, progress)
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


def _restore(url: str, file: Path, force: bool, progress: Progress) -> None:
    """No event loop runs meanwhile: a task that is interrupted could not put back what was there."""
    from models.emptying import forget, put_back
    from models.migrate import migrate
    from server.dump import Programs, seconds_since

    began = time.monotonic()
    programs = Programs.for_server(asyncio.run(_at(url, _server)))
    programs.check(file, lambda: progress.show(f"reading {file.name}"))
    _refuse_others(programs.migrations(file, lambda: progress.show(f"reading {file.name}")))
    aside = asyncio.run(_at(url, lambda connection: _make_room(connection, force)))
    try:
        programs.restore(url, file, lambda: progress.show(f"restoring, {seconds_since(began)}"))
        applied = asyncio.run(migrate(url, restoring=True))
    except BaseException:
        if aside:
            asyncio.run(_at(url, put_back))
        raise
    if aside:
        asyncio.run(_at(url, forget))
    for name in applied:
        print(f"applied {name}", file=sys.stderr)


def _refuse_others(applied: frozenset[str]) -> None:
    """Raises DumpError for what is no backup of Laurel, or of a newer one than this."""
    from models.migrate import of_this_version
    from server.dump import DumpError

    if not applied:
        raise DumpError("it is a dump, but none of Laurel's")
    if newer := applied - of_this_version():
        raise DumpError(f"it is of a newer version, which has the migrations {', '.join(sorted(newer))}")


async def _at(url: str, work: Callable[["Connection"], Awaitable[T]]) -> T:
    from models.emptying import administering

    async with administering(url) as connection:
        return await work(connection)


async def _server(connection: "Connection") -> int:
    """Its version; raises CommandError when pods are connected to it."""
    from models.emptying import pods_connected, server_major

    if pods := await pods_connected(connection):
        raise CommandError(f"pods are connected to the database ({pods} connections): stop them first")
    return await server_major(connection)


async def _make_room(connection: "Connection", force: bool) -> bool:
    """Whether anything was put aside; raises CommandError when that was not asked for."""
    from models.emptying import is_empty, put_aside

    if await is_empty(connection):
        return False
    if not force:
        raise CommandError("the database is not empty: --force replaces what is in it")
    await put_aside(connection)
    return True


async def _boards(settings: Settings) -> None:
    """New epochs for all boards: what Redis held belongs to another history."""
    from actors.ordering import Ordering

    ordering = Ordering(str(settings.redis_url))
    try:
        await ordering.forget_boards()
    finally:
        await ordering.close()
    await rebuild(settings, None)
