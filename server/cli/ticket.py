"""`laurel ticket mint`: tickets for load tests, redeemable now."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import TYPE_CHECKING

from models.ids import ActionId, TicketId, UserId, is_slug, uuid7
from server.cli.arguments import whole
from server.cli.progress import Progress
from server.cli.servers import CommandError, servers
from server.settings import Settings

if TYPE_CHECKING:
    from actors.clock import Clock
    from models.catalogue import Revised
    from tickets.signer import TicketSigner

NAME = "ticket"
HELP = "mints tickets for load tests: one `token<TAB>ticket` a line"
MOST = 10_000_000
DEFAULT_ACTION = "sprint"
DEFAULT_USERS = 100
CHUNK = 2_000
"""Lines written at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Only for a `laurel up --load-test`, or with LAUREL_LOAD_TEST=true. The players are those of `laurel token "
        "mint --users`, and take turns. The tickets can be redeemed at once; the action's other rules hold as ever "
        "(cooldown, daily limit, overlap), and the action `sprint` of the sample catalogue has none."
    )
    parser.add_argument("what", choices=["mint"], help="the one thing there is to do")
    parser.add_argument("--count", type=whole(1, MOST), required=True, metavar="N", help="how many tickets in all")
    parser.add_argument(
        "--action", type=_slug, default=DEFAULT_ACTION, metavar="ID", help=f"of which action (default {DEFAULT_ACTION})"
    )
    parser.add_argument(
        "--users",
        type=whole(1, MOST),
        default=DEFAULT_USERS,
        metavar="N",
        help=f"among how many players (default {DEFAULT_USERS})",
    )


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    with servers(args, environ, filled=True) as settings:
        if not _load_test(settings):
            raise CommandError("tickets are minted for load tests only: start `laurel up --load-test`")
        asyncio.run(_mint(settings, args))
    return 0


def _load_test(settings: Settings) -> bool:
    """What a running `up` was started with counts, else the setting."""
    from server.embedded.folder import DataFolder
    from server.embedded.runtime import running

    up = running(DataFolder(settings.data))
    return settings.load_test if up is None else up.load_test


async def _mint(settings: Settings, args: argparse.Namespace) -> None:
    from actors.clock import Clock
    from models import catalogue
    from server.auth import Tokens
    from server.cli.database import opened
    from server.cli.players import ensure, numbered
    from tickets.signer import TicketSigner

    clock = Clock()
    async with opened(settings) as database:
        revised = (await catalogue.load(database)).find(args.action)
        if revised is None:
            raise CommandError(f"there is no action {args.action!r}: `laurel actions import` adds some")
        if not revised.action.enabled or revised.action.ticket != "required":
            why = "is instant and needs no ticket" if revised.action.enabled else "is switched off"
            raise CommandError(f"the action {args.action!r} {why}")
        accounts = await ensure(database, numbered(min(args.users, args.count)))
        await clock.measure(database)
    tokens = Tokens(settings)
    bearers = [(UserId(account["user_id"]), tokens.mint(account["user_id"], account["role"])) for account in accounts]
    lines = _lines(TicketSigner([key.secret for key in settings.ticket_keys]), revised, bearers, clock)
    with Progress() as progress:
        for done in range(0, args.count, CHUNK):
            sys.stdout.writelines(islice(lines, min(CHUNK, args.count - done)))
            progress.show(f"{done} of {args.count} tickets")


def _lines(
    signer: "TicketSigner", revised: "Revised", bearers: Sequence[tuple[UserId, str]], clock: "Clock"
) -> Iterator[str]:
    """Lines without end, the players in turn; issued so long ago that none is too early."""
    from tickets.ticket import Ticket

    action = revised.action
    for user_id, token in cycle(bearers):
        now = clock.now_ms()
        issued_at = now - action.min_seconds * 1000
        ticket = Ticket(
            ticket_id=TicketId(uuid7(now)),
            user_id=user_id,
            action_id=action.action_id,
            revision=revised.revision,
            issued_at=issued_at,
            expires_at=issued_at + action.max_seconds * 1000,
        )
        yield f"{token}\t{signer.sign(ticket)}\n"


def _slug(text: str) -> ActionId:
    if not is_slug(text):
        raise argparse.ArgumentTypeError("an action's id is a slug of [a-z0-9-]{1,64}")
    return ActionId(text)
