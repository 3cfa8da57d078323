"""`laurel ledger archive`: old months of the ledger, into files."""

import argparse
import asyncio
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from server.cli.arguments import add_data
from server.cli.progress import Progress
from server.cli.results import put
from server.cli.servers import CommandError, require_direct, servers
from server.settings import Settings

NAME = "ledger"
HELP = "takes old months of the ledger out of the database, into files"
MONTH = re.compile(r"(\d{4})-(\d{2})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_subparsers(dest="what", metavar="archive", required=True)
    archive = ways.add_parser(
        "archive",
        help="writes months into files, then drops them; one `month<TAB>entries<TAB>file` a line",
        description=(
            "Takes each month before the one given, oldest first: closes it, writes its entries into a signed file, "
            "reads that again, compares it with the ledger, and only then takes the month out, under one short lock. "
            "Scores, boards and later voids go on as before: each player keeps a sealed base, to which archived "
            "entries fold. `laurel audit verify --archive FILE...` walks files and ledger together."
        ),
        epilog=(
            "What ends with a month: its entries can no longer be voided nor listed, a ticket of it sent again is "
            "expired instead of answered, and a board that is defined or changed later counts from the first month "
            "kept. A month stays 31 days after its end. All pods must be of this version. Keep the files: nothing else "
            "has them."
        ),
    )
    archive.add_argument("--before", type=_month, required=True, metavar="YYYY-MM", help="the first month that stays")
    archive.add_argument("folder", type=Path, metavar="DIR", help="where the files go")
    add_data(archive)


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    if not args.folder.is_dir():
        raise CommandError(f"{args.folder} is no folder")
    with servers(args, environ) as settings, Progress() as progress:
        require_direct(settings.database_url, "this takes longer than a pooled statement may")
        asyncio.run(_archive(settings, args.before, args.folder, progress))
    return 0


async def _archive(settings: Settings, before: date, folder: Path, progress: Progress) -> None:
    from models import boards
    from models.archiving import Archiving, months
    from models.emptying import administering
    from server.cli.database import chain_of, opened

    async with opened(settings) as database:
        defined = await boards.load(database)
    async with administering(str(settings.database_url)) as connection:
        archiving = Archiving(connection, defined, chain_of(settings), progress.show)
        found = await months(connection, before)
        for month in found:
            archiving.refuse_young(month, await connection.fetchval("SELECT now()"))
        if found:
            await archiving.close(before)
        for month in found:
            archive = await archiving.archive(month, folder)
            put(f"{month:%Y-%m}\t{archive.header.entries}\t{archive.path}\n", at_once=True)


def _month(text: str) -> date:
    found = MONTH.fullmatch(text)
    try:
        if found:
            return date(int(found[1]), int(found[2]), 1)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError("a month is written YYYY-MM")
