"""`laurel keys rotate`: a new key that signs, while pods run."""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from server.cli.arguments import add_data
from server.cli.servers import CommandError, data_path
from server.embedded.folder import DataFolder
from server.embedded.runtime import RunningPod, running
from server.embedded.secrets import read_secrets, replace_secret
from server.key_watch import taken
from server.keys import (
    JWT_ALGORITHMS,
    format_hmac_keys,
    format_jwt_keys,
    format_receipt_keys,
    generate_hmac_key,
    generate_jwt_key,
    generate_receipt_key,
    newest_signing,
    parse_hmac_keys,
    parse_jwt_keys,
    parse_receipt_keys,
)
from server.settings import SettingsError

NAME = "keys"
HELP = "rotates the keys of access tokens, tickets or receipts"
TAKEN_SECONDS = 60.0
"""How long pods may take to read new keys; a pod that is just starting takes some seconds."""
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Purpose:
    """A list of keys: how it is read, written and added to."""

    variable: str
    parse: Callable[[str], Sequence[Any]]
    form: Callable[[Sequence[Any]], str]
    make: Callable[[Sequence[Any], str | None], Any]
    wait: str


PURPOSES = {
    "jwt": Purpose(
        "LAUREL_JWT_KEYS",
        parse_jwt_keys,
        format_jwt_keys,
        lambda keys, algorithm: generate_jwt_key(algorithm or newest_signing(keys).algorithm),
        "access tokens live LAUREL_ACCESS_TTL_SECONDS, minted ones as long as was said",
    ),
    "ticket": Purpose(
        "LAUREL_TICKET_KEYS",
        parse_hmac_keys,
        format_hmac_keys,
        lambda keys, algorithm: generate_hmac_key(),
        "tickets live the maxSeconds of their action; spent ones lose their replay",
    ),
    "receipt": Purpose(
        "LAUREL_RECEIPT_KEYS",
        parse_receipt_keys,
        format_receipt_keys,
        lambda keys, algorithm: generate_receipt_key(),
        "receipts do not expire: one signed with a retired key can be checked by nobody, but asked for again",
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_subparsers(dest="what", metavar="rotate", required=True)
    rotate = ways.add_parser(
        "rotate",
        help="adds a key that signs from now on, or retires the old ones",
        description=(
            "Adds a new key in two steps: first every running pod accepts it, then it signs. Old keys go on verifying "
            "until they are retired. Nobody is refused meanwhile."
        ),
        epilog=(
            "Keys in the data folder's secrets.env are changed there; `laurel up` may run. Keys that the environment "
            "sets are not touched: the values to roll out, one after the other, are printed."
        ),
    )
    rotate.add_argument("purpose", choices=PURPOSES, help="which keys")
    rotate.add_argument("--retire", action="store_true", help="removes every key but the one that signs, at once")
    rotate.add_argument("--algorithm", choices=JWT_ALGORITHMS, help="of a new jwt key (default: that of the last)")
    add_data(rotate)
    rotate.set_defaults(refuse=rotate.error)


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    if args.algorithm and (args.purpose != "jwt" or args.retire):
        args.refuse("--algorithm is for a new jwt key")
    purpose = PURPOSES[args.purpose]
    if given := environ.get(purpose.variable):
        _advise(purpose, _parsed(purpose, given), args)
        return 0
    folder = DataFolder(data_path(args, environ))
    if not read_secrets(folder).get(purpose.variable):
        raise CommandError(
            f"{purpose.variable} stands neither in the environment nor in {folder.secrets}: `laurel up` makes the first"
        )
    if args.retire:
        _await(folder, args.purpose, purpose)  # a pod that still signs with an old key would be shut out
        keys = _change(folder, purpose, lambda keys: [_signing(keys)])
        _await(folder, args.purpose, purpose)
        print(f"retired; {keys[-1].kid} is the only {args.purpose} key")
        return 0
    made: list[Any] = []

    def add(keys: Sequence[Any]) -> list[Any]:
        made.append(purpose.make(keys, args.algorithm))
        return [*made, *keys]

    _change(folder, purpose, add)
    _await(folder, args.purpose, purpose)
    new = made[0].kid
    _change(folder, purpose, lambda keys: sorted(keys, key=lambda key: key.kid == new))
    _await(folder, args.purpose, purpose)
    print(f"{new} signs now; old {args.purpose} keys go on verifying")
    print(f"laurel: retire them with --retire when nothing of theirs is needed: {purpose.wait}", file=sys.stderr)
    return 0


def _signing(keys: Sequence[Any]) -> Any:
    return next(key for key in reversed(keys) if getattr(key, "signs", True))


def _parsed(purpose: Purpose, text: str) -> list[Any]:
    try:
        return list(purpose.parse(text))
    except ValueError as error:
        raise SettingsError(f"{purpose.variable}: {error}") from error


def _change(folder: DataFolder, purpose: Purpose, change: Callable[[Sequence[Any]], Sequence[Any]]) -> list[Any]:
    text = replace_secret(folder, purpose.variable, lambda old: purpose.form(change(_parsed(purpose, old))))
    return _parsed(purpose, text)


def _await(folder: DataFolder, name: str, purpose: Purpose) -> None:
    """Returns when every pod that runs here has the keys of the folder in force."""
    deadline = time.monotonic() + TAKEN_SECONDS
    while late := _late(folder, name, purpose):
        if time.monotonic() > deadline:
            raise CommandError(
                f"{', '.join(late)} did not take the keys within {TAKEN_SECONDS:.0f} s; every key that was in force "
                "still is: see to these pods, then run this again"
            )
        time.sleep(POLL_SECONDS)


def _late(folder: DataFolder, name: str, purpose: Purpose) -> list[str]:
    up = running(folder)
    if up is None:
        return []
    kids = [key.kid for key in _parsed(purpose, read_secrets(folder)[purpose.variable])]
    return [pod.url for pod in up.pods if not _has_taken(folder, pod, name, kids)]


def _has_taken(folder: DataFolder, pod: RunningPod, name: str, kids: list[str]) -> bool:
    said = taken(folder.root, urlsplit(pod.url).port or 0)
    return said is not None and said.pid == pod.pid and said.keys.get(name) == kids


def _advise(purpose: Purpose, keys: list[Any], args: argparse.Namespace) -> None:
    """Prints what to set where this command cannot."""
    last = _signing(keys)
    others = [key for key in keys if key is not last]
    steps = [("only the key that signs", [last])]
    if not args.retire:
        new = purpose.make(keys, args.algorithm)
        steps = [
            ("every pod accepts the new key, the old one signs", [new, *others, last]),
            ("the new key signs", [*others, last, new]),
            (f"the old keys are retired; wait first: {purpose.wait}", [new]),
        ]
    print(f"laurel: the environment sets {purpose.variable}: roll out what follows yourself", file=sys.stderr)
    for number, (text, value) in enumerate(steps, start=1):
        print(f"# {number}. {text}; go on when all pods run with it\n{purpose.variable}={purpose.form(value)}")
