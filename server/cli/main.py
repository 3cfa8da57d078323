"""The `laurel` command: picks a subcommand and reports its errors."""

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import FrameType
from typing import Protocol, cast

from server.cli.results import ResultsLost
from server.cli.servers import CommandError
from server.embedded.errors import EmbeddedError
from server.garbage import collect_seldom
from server.settings import SettingsError

FAILED = 1
INTERRUPTED = 128 + signal.SIGINT
COMMANDS = (
    "up",
    "serve",
    "config",
    "migrate",
    "token",
    "ticket",
    "actions",
    "audit",
    "ledger",
    "keys",
    "rebuild",
    "backup",
    "restore",
    "doctor",
)


class Command(Protocol):
    """What a module of this package offers."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, args: argparse.Namespace, environ: Mapping[str, str]) -> int: ...


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Exit code 0, 1 (failed) or 2 (usage); results on stdout."""
    collect_seldom()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _leave)
    args = _parser().parse_args(arguments)
    command: Command = args.command
    try:
        return _run(command, args, environ)
    except (SettingsError, EmbeddedError, CommandError) as error:
        print(f"laurel: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_results()  # whoever read them has left
        return FAILED
    except Exception as error:
        line = _line(error)
        if line is None:
            raise
        print(f"laurel: {line}", file=sys.stderr)
        _drop_results()
        return FAILED


def _run(command: Command, args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    try:
        code = command.run(args, environ)
    except ResultsLost as lost:
        raise lost.cause from None
    sys.stdout.flush()
    return code


def _drop_results() -> None:
    """Forgets what cannot be written: the interpreter would try again at its end, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _line(error: Exception) -> str | None:
    """What to say of a database that is away, a broken rule or a full disk; None for anything unexpected."""
    from models.errors import DatabaseUnavailable, ModelError

    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if not isinstance(error, ModelError):
        return None
    text = " ".join(str(error).split())
    return f"the database does not answer: {text}" if isinstance(error, DatabaseUnavailable) else text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="laurel", description="A live scoreboard server that people can trust.")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        command = cast(Command, import_module(f"server.cli.{name}"))
        own = subparsers.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        own.add_argument("--data", metavar="DIR", help="data folder (also LAUREL_DATA; default .laurel)")
        command.add_arguments(own)
        own.set_defaults(command=command)
    return parser


def _leave(number: int, frame: FrameType | None) -> None:
    """Ends as an exception does, so that what was started is stopped."""
    sys.exit(128 + number)
