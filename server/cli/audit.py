"""`laurel audit verify|checkpoint`: whether the ledger holds together."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from server.cli.arguments import add_data, user_id
from server.cli.progress import Progress
from server.cli.results import put
from server.cli.servers import CommandError, require_direct, servers
from server.settings import Settings

if TYPE_CHECKING:
    from models.audit import Mark
    from models.auditor import Verdict
    from models.checkpoint import Checkpoint

NAME = "audit"
LONG = "one snapshot is read for longer than a pooled statement may"
HELP = "walks the ledger's chains, versions and sums, or prints a signed checkpoint"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_subparsers(dest="what", metavar="verify|checkpoint", required=True)
    verify = ways.add_parser(
        "verify",
        help="fails with the first broken row",
        description=(
            "Walks every player's entries: the chain of hashes, versions without gaps, scores, voids, the player's "
            "row, the standings. Prints the first broken row and fails, or says how much holds together. May run while "
            "pods run."
        ),
        epilog=(
            "A database by itself cannot show that a player was rolled back whole, with row and entries. A checkpoint "
            "that was kept elsewhere can."
        ),
    )
    verify.add_argument("--user", type=user_id, metavar="ID", help="this player only")
    verify.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="also against what `laurel audit checkpoint` printed once"
    )
    verify.add_argument(
        "--archive",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="every file that `laurel ledger archive` wrote, to walk from the first entry on",
    )
    checkpoint = ways.add_parser(
        "checkpoint",
        help="prints how far every player's history went, signed",
        description=(
            "Prints a checkpoint: the version and last hash of every player with entries, signed with the newest audit "
            "key. Keep it outside the database: laurel audit checkpoint > FILE"
        ),
    )
    add_data(verify)
    add_data(checkpoint)


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    with servers(args, environ, filled=True) as settings:
        if args.what == "checkpoint":
            asyncio.run(_checkpoint(settings))
            return 0
        verdict = asyncio.run(_verify(settings, args.user, args.checkpoint, args.archive))
    if verdict.fault is not None:
        print(f"broken: {verdict.fault}")
        return 1
    if args.user and not verdict.players:
        raise CommandError(f"there is no player {args.user}")
    print(
        f"{verdict.entries} entries of {verdict.players} players hold together; "
        f"the standings of {verdict.settled} were compared"
    )
    if verdict.archived:
        print(f"the older entries of {verdict.archived} players are archived: see --archive", file=sys.stderr)
    return 0


async def _verify(settings: Settings, user: str | None, file: Path | None, archives: Sequence[Path]) -> "Verdict":
    from models import boards
    from models.archive import Archive
    from models.auditor import Auditor, reading
    from models.ids import UserId
    from server.cli.database import chain_of, opened

    chain = chain_of(settings)
    require_direct(settings.database_url, LONG)
    checkpoint = None if file is None else _read(file, settings)
    marks: Iterator[Mark] = iter(()) if checkpoint is None else checkpoint.marks()
    opened_archives = [Archive.open(path, chain) for path in archives]
    async with opened(settings) as database:
        defined = await boards.load(database)
    with Progress() as progress:
        async with reading(str(settings.database_url)) as connection:
            auditor = Auditor(
                connection,
                defined,
                chain,
                lambda seen: progress.show(f"{seen.entries} entries of {seen.players} players"),
                opened_archives,
            )
            return await auditor.verify(None if user is None else UserId(user), marks)


def _read(file: Path, settings: Settings) -> "Checkpoint":
    from models.checkpoint import Checkpoint
    from models.errors import CheckpointInvalid
    from server.cli.database import chain_of

    try:
        return Checkpoint.open(file, chain_of(settings))
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror or error}") from error
    except CheckpointInvalid as error:
        raise CommandError(f"{file}: {error}") from error


async def _checkpoint(settings: Settings) -> None:
    from models import checkpoint
    from models.auditor import reading
    from server.cli.database import chain_of, opened

    require_direct(settings.database_url, LONG)
    async with opened(settings), reading(str(settings.database_url)) as connection:
        async for line in checkpoint.take(connection, chain_of(settings)):
            put(line)
