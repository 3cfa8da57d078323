"""`laurel token mint`: access tokens for players, made if needed."""

import argparse
import asyncio
import sys
from collections.abc import Mapping

from server.cli.arguments import username, whole
from server.cli.servers import servers
from server.settings import Settings

NAME = "token"
HELP = "mints access tokens: one `userId<TAB>token` a line"
MOST_USERS = 1_000_000
LONGEST_TTL = 31_536_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "A player that does not exist is created, without a password. The token carries the account's role: --admin "
        "makes the account an admin for good, also one that exists; without --admin its role stays as it is."
    )
    parser.add_argument("what", choices=["mint"], help="the one thing there is to do")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--user", type=username, metavar="NAME", help="one player by name")
    who.add_argument(
        "--users",
        type=whole(1, MOST_USERS),
        default=1,
        metavar="N",
        help="so many players, the same at every call: player-0001, player-0002, … (default 1)",
    )
    parser.add_argument("--admin", action="store_true", help="makes the account an admin, also one that exists")
    parser.add_argument(
        "--ttl", type=whole(1, LONGEST_TTL), metavar="S", help="life in seconds (default LAUREL_ACCESS_TTL_SECONDS)"
    )


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    with servers(args, environ, filled=True) as settings:
        asyncio.run(_mint(settings, args))
    return 0


async def _mint(settings: Settings, args: argparse.Namespace) -> None:
    from server.auth import Tokens
    from server.cli.database import opened
    from server.cli.players import ensure, numbered

    names = [args.user] if args.user else numbered(args.users)
    async with opened(settings) as database:
        accounts = await ensure(database, names, admin=args.admin)
    tokens = Tokens(settings)
    for account in accounts:
        sys.stdout.write(f"{account['user_id']}\t{tokens.mint(account['user_id'], account['role'], args.ttl)}\n")
