"""`laurel actions export|import`: the catalogue as a file."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from models.drafts import draft_of, sweep
from server.cli.servers import CommandError, servers
from server.settings import Settings

if TYPE_CHECKING:
    from models.catalogue import Action, Catalogue

NAME = "actions"
HELP = "exports or imports the catalogue of actions as JSON or CSV"
STREAM = "-"
SUFFIXES = (".json", ".csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "An import adds actions and changes those that exist, each change being a new revision: tickets already issued "
        "are judged by the revision they were issued under. Actions that are not in the file stay as they are. When "
        "anything in the file is wrong, nothing is written. Running pods hear of it within a second."
    )
    parser.add_argument("what", choices=["export", "import"], help="which way")
    parser.add_argument(
        "file", type=_file, metavar="FILE", help="a .json or .csv file, or - for JSON on standard output or input"
    )
    parser.add_argument("--only-new", action="store_true", help="import what is not there yet, and change nothing")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    if args.what == "export":
        with servers(args, environ, filled=True) as settings:
            _write(args.file, asyncio.run(_exported(settings, args.file)))
    else:
        actions = _read(args.file)  # a file that is wrong needs no database
        with servers(args, environ, filled=True) as settings:
            for line in asyncio.run(_import(settings, actions, only_new=args.only_new)):
                print(line)
    return 0


async def _exported(settings: Settings, file: str) -> str:
    from models import catalogue
    from models.catalogue_file import write_csv, write_json
    from server.cli.database import opened

    async with opened(settings) as database:
        present = (await catalogue.load(database)).present
    write = write_csv if file.endswith(".csv") else write_json
    return write(revised.action for revised in present.values())


async def _import(settings: Settings, actions: "Sequence[Action]", *, only_new: bool) -> list[str]:
    from models import catalogue
    from server.cli.database import opened

    async with opened(settings) as database:
        before = await catalogue.load(database)
        taken = [action for action in actions if before.find(action.action_id) is None] if only_new else actions
        if _changed(taken, before):
            await catalogue.save(database, taken)
        changes = list(_changes(taken, before, await catalogue.load(database)))
    return [*changes, f"{len(actions) - len(changes)} unchanged"]


def _changed(actions: "Sequence[Action]", before: "Catalogue") -> "list[Action]":
    """The actions that the catalogue does not have just so."""
    return [action for action in actions if (known := before.find(action.action_id)) is None or known.action != action]


def _changes(actions: "Sequence[Action]", before: "Catalogue", after: "Catalogue") -> Iterator[str]:
    for action in _changed(actions, before):
        old, new = before.find(action.action_id), after.find(action.action_id)
        if old is None or new is None:
            yield f"added {action.action_id}"
        elif new.revision != old.revision:
            yield f"revised {action.action_id} (revision {new.revision})"
        else:
            yield f"switched {action.action_id} {'on' if action.enabled else 'off'}"


def _read(file: str) -> "list[Action]":
    from models.catalogue_file import read_csv, read_json
    from models.errors import CatalogueInvalid

    try:
        content = sys.stdin.buffer.read() if file == STREAM else Path(file).read_bytes()
        text = content.decode("utf-8-sig")  # spreadsheets put a mark in front
        return read_csv(text) if file.endswith(".csv") else read_json(text)
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file}: not UTF-8 at byte {error.start}") from error
    except CatalogueInvalid as error:
        raise CommandError(f"{'standard input' if file == STREAM else file}: {error}") from error


def _write(file: str, text: str) -> None:
    if file == STREAM:
        sys.stdout.write(text)
        return
    path = Path(file)
    draft = draft_of(path)
    try:
        sweep(path)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise CommandError(f"cannot write {file}: {error.strerror}") from error


def _file(text: str) -> str:
    if text != STREAM and not text.endswith(SUFFIXES):
        raise argparse.ArgumentTypeError(f"must end with {' or '.join(SUFFIXES)}, or be -")
    return text
