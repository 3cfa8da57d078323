"""A whole database as one file, by PostgreSQL's own programs."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext
from urllib.parse import parse_qsl, urlsplit

from models.database import APP, credentials
from models.drafts import draft_of, sweep
from models.migrate import ASIDE
from server.embedded.errors import EmbeddedError
from server.embedded.postgres import programs

VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
COPIED = re.compile(
    r"^COPY public\.tortoise_migrations \((?P<columns>[^)]*)\) FROM stdin;\n(?P<lines>.*?)^\\\.$",
    re.MULTILINE | re.DOTALL,
)
POLL_SECONDS = 0.1
LAST_LINES = 3

ADDRESSED = ["--dbname", ""]
"""The address stands in the environment: its password must not be seen among the processes."""
ADDRESS = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "database"}
TLS = "PGSSL"
SHARED = {"PGHOST", "PGUSER", "PGPASSWORD", "PGPASSFILE"}
"""What pods take from the environment too where the URL says nothing, besides what is about TLS."""


class DumpError(Exception):
    """pg_dump or pg_restore is missing, or says what is wrong."""


@dataclass(frozen=True, slots=True)
class Programs:
    """pg_dump and pg_restore of one version."""

    major: int
    folder: Path

    @classmethod
    def for_server(cls, server_major: int) -> "Programs":
        """Those of the server's version, else the next newer; raises DumpError when there are none."""
        fit = [found for found in _found() if found.major >= server_major]
        if not fit:
            raise DumpError(
                f"PostgreSQL {server_major} needs its own pg_dump and pg_restore, or newer ones, on the PATH"
            )
        return min(fit, key=lambda found: found.major)

    def dump(self, url: str, file: Path, watch: Callable[[], None]) -> None:
        """Writes a file of one snapshot, readable by its owner only, and reads it again whole."""
        draft = draft_of(file)
        try:
            sweep(file)
            draft.touch(mode=0o600)  # pg_dump keeps the mode, and waits for the disk
            options = ["--format=custom", "--no-owner", "--no-acl", f"--exclude-schema={ASIDE}", "--file", str(draft)]
            self._run(["pg_dump", *options, *ADDRESSED], url, watch)
            self.check(draft, watch)
            draft.replace(file)
        except OSError as error:
            raise DumpError(f"cannot write {file}: {error.strerror}") from error
        finally:
            draft.unlink(missing_ok=True)

    def check(self, file: Path, watch: Callable[[], None]) -> None:
        """Reads a file to its end; raises DumpError when it is no dump, or one that was cut off."""
        self._run(["pg_restore", "--file", os.devnull, str(file)], None, watch)

    def migrations(self, file: Path, watch: Callable[[], None]) -> frozenset[str]:
        """The migrations that had been applied to what is in a file; none, if it is not Laurel's."""
        command = ["pg_restore", "--data-only", "--table", "tortoise_migrations", "--file", "-", str(file)]
        rows = COPIED.search(self._run(command, None, watch))
        if rows is None:
            return frozenset()
        columns = rows["columns"].split(", ")
        applied = [dict(zip(columns, line.split("\t"), strict=True)) for line in rows["lines"].splitlines()]
        return frozenset(row["name"] for row in applied if row["app"] == APP)

    def restore(self, url: str, file: Path, watch: Callable[[], None]) -> None:
        """Fills an empty database, in one transaction."""
        options = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-acl"]
        self._run(["pg_restore", *options, *ADDRESSED, str(file)], url, watch)

    def _run(self, command: Sequence[str], url: str | None, watch: Callable[[], None]) -> str:
        program, *arguments = command
        process = subprocess.Popen(
            [str(self.folder / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(url),
            text=True,
        )
        try:
            results, said = _wait(process, watch)
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.returncode != 0:
            raise DumpError(f"{program}: {said}")
        return results


def _wait(process: "subprocess.Popen[str]", watch: Callable[[], None]) -> tuple[str, str]:
    """A program's results, and what it said last; its pipes are read all the while, so that they are never full."""
    while True:
        try:
            results, said = process.communicate(timeout=POLL_SECONDS)
        except subprocess.TimeoutExpired:
            watch()
            continue
        return results, " ".join(said.split("\n")[:LAST_LINES]).strip() or f"ended with {process.returncode}"


def _environment(url: str | None) -> Mapping[str, str]:
    """Leads to the database that pods use, whatever else libpq would make of the URL or of what is set around it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PG") or name in SHARED or name.startswith(TLS)
    }
    return kept | {"PGAPPNAME": "laurel-dump", "LC_ALL": "C"} | ({} if url is None else _address(url))


def _address(url: str) -> dict[str, str]:
    known = credentials(url)
    found = {variable: str(known[name]) for variable, name in ADDRESS.items() if known[name]}
    tls = known.get("ssl")
    if isinstance(tls, SSLContext):
        found["PGSSLMODE"] = "verify-full" if tls.check_hostname else "verify-ca"
        found["PGSSLROOTCERT"] = dict(parse_qsl(urlsplit(url).query))["sslrootcert"]
    elif tls:
        found["PGSSLMODE"] = tls
    return found


def _found() -> list[Programs]:
    """What the wheel has and what the PATH has."""
    folders = []
    with suppress(EmbeddedError):  # an installation without the embedded servers
        folders.append(programs())
    if system := shutil.which("pg_dump"):
        folders.append(Path(system).parent)
    return [found for folder in folders if (found := _versioned(folder))]


def _versioned(folder: Path) -> Programs | None:
    try:
        said = subprocess.run([str(folder / "pg_dump"), "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = VERSION.search(said)
    return Programs(int(found[1]), folder) if found and (folder / "pg_restore").exists() else None


def seconds_since(began: float) -> str:
    """How long something took, for people."""
    return f"{time.monotonic() - began:.1f} s"
