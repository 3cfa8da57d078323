"""The settings and servers a command works with."""

import argparse
import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from server.embedded.folder import DataFolder
from server.settings import DEFAULT_DATA, EMBEDDED_NAMES, Settings

WAIT_SECONDS = 60.0  # for an `up` that is just starting, or a command that is just finishing
ATTEMPT_SECONDS = 0.25


class CommandError(Exception):
    """One line that says why a command failed."""


def data_path(args: argparse.Namespace, environ: Mapping[str, str]) -> Path:
    return Path(args.data or environ.get("LAUREL_DATA") or DEFAULT_DATA).absolute()


def merged(args: argparse.Namespace, environ: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """The environment over the folder's secrets, `--data` over both."""
    given = {name: value for name, value in environ.items() if value or not name.startswith("LAUREL_")}
    own = {"LAUREL_DATA": str(data_path(args, environ))}
    return {name: value for name, value in {**secrets, **given, **own}.items() if name not in EMBEDDED_NAMES}


def load_settings(args: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """The settings in force, with secrets that stand in the folder."""
    from server.embedded.secrets import read_secrets

    return Settings.from_mapping(merged(args, environ, read_secrets(DataFolder(data_path(args, environ)))))


def require_direct(database_url: str | None, why: str) -> None:
    """Raises CommandError for a pooler in transaction mode, before anything happens."""
    from models.database import pooled

    if database_url is not None and pooled(database_url):
        raise CommandError(f"{why}: name PostgreSQL itself, not a pooler")


@contextmanager
def servers(args: argparse.Namespace, environ: Mapping[str, str], *, filled: bool = False) -> Iterator[Settings]:
    """Settings whose database and Redis can be reached.

    Configured servers, else those of a running `up`, else embedded ones for the time of the command. An embedded
    database that shall be `filled` has its schema: a new one gets it here, that of an `up` is waited for.
    """
    settings = load_settings(args, environ)
    if settings.database_url:
        settings.require_secrets()  # invented ones would not be those that its tickets and its ledger are signed with
        if settings.redis_url:
            yield settings
            return
    from server.embedded.errors import FolderInUse
    from server.embedded.runtime import running
    from server.embedded.secrets import ensure_secrets
    from server.embedded.servers import EmbeddedServers

    folder = DataFolder.prepare(settings.data)
    with ExitStack() as stack:
        for _ in range(int(WAIT_SECONDS / ATTEMPT_SECONDS)):
            if up := running(folder):
                if filled and not settings.database_url and not up.pods:  # pods come after the migrations
                    _await_schema(up.database_url)
                in_force = load_settings(args, {**environ, **up.options})
                yield replace(in_force, database_url=up.database_url, redis_url=up.redis_url)
                return
            try:
                stack.enter_context(folder.locked(ATTEMPT_SECONDS))
                break
            except FolderInUse:
                continue
        else:
            raise CommandError(f"another command has been using {folder.root} for {WAIT_SECONDS:.0f} s")
        secrets = ensure_secrets(folder, environ)
        own = EmbeddedServers.choose(folder, secrets, postgres=not settings.database_url, redis=not settings.redis_url)
        stack.callback(own.stop)
        own.start()
        found = own.fill_in(Settings.from_mapping(merged(args, environ, secrets)))
        if filled and not settings.database_url:
            _fill_new(str(found.database_url))
        yield found


def _await_schema(database_url: str) -> None:
    """An `up` that is just starting applies migrations; what it still lacks then is for `opened` to say."""
    from models.migrate import missing

    for _ in range(int(WAIT_SECONDS / ATTEMPT_SECONDS)):
        if not asyncio.run(missing(database_url)):
            return
        time.sleep(ATTEMPT_SECONDS)


def _fill_new(database_url: str) -> None:
    """As `up` would; an older schema is left to `up` and `laurel migrate`."""
    from models.catalogue_file import seed_if_empty
    from models.migrate import is_new, migrate

    if asyncio.run(is_new(database_url)):
        asyncio.run(migrate(database_url))
        asyncio.run(seed_if_empty(database_url))
