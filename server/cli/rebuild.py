"""`laurel rebuild`: boards in Redis from PostgreSQL, under a new epoch."""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from server.cli.servers import CommandError, servers
from server.settings import Settings

if TYPE_CHECKING:
    from actors.ordering import Ordering
    from actors.rebuilder import Rebuilder
    from models.board import Board, Place

NAME = "rebuild"
HELP = "fills boards in Redis from PostgreSQL anew: one `board<TAB>period<TAB>epoch` a line"
PATIENCE_SECONDS = 60.0
"""How long to wait for somebody else who is rebuilding the same board."""
PAUSE_SECONDS = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Rebuilds the present period of every board. Pods that run take over the new epoch by themselves and send "
        "their viewers a snapshot; nothing that is redeemed meanwhile is lost."
    )
    parser.add_argument("--board", metavar="ID", help="this board only")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from actors.ordering import AWAY
    from models.errors import ModelError

    with servers(args, environ, filled=True) as settings:
        try:
            asyncio.run(rebuild(settings, args.board))
        except ModelError:
            raise
        except AWAY as error:
            raise CommandError(f"Redis does not answer: {' '.join(str(error).split())}") from error
    return 0


async def rebuild(settings: Settings, board_id: str | None) -> None:
    """Rebuilds one board or all; prints a line for each."""
    from actors.clock import Clock
    from actors.epochs import Epochs
    from actors.loader import Loader
    from actors.ordering import Ordering
    from actors.rebuilder import Rebuilder
    from models import boards
    from server.cli.database import opened

    async with opened(settings) as database:
        clock, epochs, ordering = Clock(), Epochs(), Ordering(str(settings.redis_url))
        try:
            await clock.measure(database)
            epochs.define(await boards.load(database))
            rebuilder = Rebuilder(database, ordering, epochs, clock, Loader(database, clock, lambda: epochs.boards))
            for place in _chosen(epochs.boards, epochs.present(clock.now_ms()), board_id):
                if not await boards.is_filled(database, place[0]):
                    print(f"laurel: {place[0]} is still being filled, which a running pod does", file=sys.stderr)
                    continue
                epoch = await _anew(rebuilder, ordering, place)
                print(place[0].partition("/")[0], place[1], epoch, sep="\t", flush=True)
        finally:
            await ordering.close()


def _chosen(boards: "Sequence[Board]", present: "Sequence[tuple[Board, Place]]", board_id: str | None) -> "list[Place]":
    """The places to rebuild; raises CommandError when a board is unknown or has no period now."""
    from models.board import Window

    if board_id is not None and board_id not in {board.board_id for board in boards}:
        known = ", ".join(board.board_id for board in boards)
        raise CommandError(f"there is no board {board_id!r}; there are {known}")
    for board in boards:
        if board not in [now for now, _ in present]:
            if board.board_id == board_id:
                raise CommandError(f"the board {board_id!r} has no period at present")
            if board_id is None and (board.window is not Window.SEASON or board.set_season):
                print(f"laurel: {board.board_id} has no period at present", file=sys.stderr)
    return [place for board, place in present if board_id in (None, board.board_id)]


async def _anew(rebuilder: "Rebuilder", ordering: "Ordering", place: "Place") -> str:
    """The new epoch, tried again while a pod rebuilds the same board."""
    from actors.keys import pointer_of

    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        former = await ordering.redis.get(pointer_of(place))
        if epoch := await rebuilder.rebuild(place, None if former is None else str(former)):
            return epoch
        await asyncio.sleep(PAUSE_SECONDS)
    raise CommandError(f"somebody else has been rebuilding {place[0]} for {PATIENCE_SECONDS:.0f} s")
