"""`laurel up`: servers, migrations, pods, watched until told to stop."""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from server.cli.arguments import whole
from server.cli.servers import CommandError, data_path, merged, require_direct
from server.embedded.demo import Demo
from server.embedded.errors import FolderInUse
from server.embedded.folder import DataFolder
from server.embedded.pods import Pod, stop_pods
from server.embedded.ports import refuse_taken
from server.embedded.runtime import Runtime, running, write_runtime
from server.embedded.secrets import ensure_secrets
from server.embedded.servers import EmbeddedServers, record
from server.embedded.watch import Child, Signals, Stopped, watch
from server.settings import Settings, unhidden

NAME = "up"
HELP = "runs Laurel here: embedded or configured servers, migrations, sample catalogue, pods"
MOST_PODS = 64
LAST_PORT = 65_535
LOCK_SECONDS = 10.0  # for a command that uses the folder for a moment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (also LAUREL_HOST)")
    parser.add_argument(
        "--port", type=whole(1, LAST_PORT), metavar="PORT", help="port of the first pod (also LAUREL_PORT)"
    )
    parser.add_argument(
        "--pods", type=whole(1, MOST_PODS), default=1, metavar="N", help="pods on consecutive ports (default 1)"
    )
    parser.add_argument("--demo", action="store_true", help="adds players that play")
    parser.add_argument("--load-test", action="store_true", help="lifts all limits and allows `laurel ticket mint`")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    variables = {**environ, **_given(args)}
    Settings.from_mapping(merged(args, variables, {}))  # refuses before it touches anything
    folder = DataFolder.prepare(data_path(args, environ))
    with Signals() as signals:
        try:
            with folder.locked(0 if running(folder) else LOCK_SECONDS, signals.pause):
                secrets = ensure_secrets(folder, environ)
                whole, own = merged(args, variables, secrets), merged(args, variables, {})
                Up(folder, whole, own, secrets, args.pods, signals, demo=args.demo).run()
        except FolderInUse as error:
            up = running(folder)
            raise CommandError(
                f"`laurel up` is running on {folder.root} (pid {up.pid})" if up else str(error)
            ) from error
        except Stopped:
            pass
    return 0


class Up:
    """All that one `laurel up` starts, and stops in reverse order.

    Pods get the environment without the folder's secrets and read those themselves, since keys there may change.
    """

    def __init__(
        self,
        folder: DataFolder,
        environ: Mapping[str, str],
        pod_environ: Mapping[str, str],
        secrets: Mapping[str, str],
        pods: int,
        signals: Signals,
        *,
        demo: bool = False,
    ) -> None:
        given = Settings.from_mapping(environ)
        ports = range(given.port, given.port + pods)
        self._folder = folder
        self._signals = signals
        self._options = unhidden(environ)
        self._servers = EmbeddedServers.choose(
            folder, secrets, postgres=not given.database_url, redis=not given.redis_url, avoid=ports
        )
        if ports[-1] > LAST_PORT:
            raise CommandError(f"{pods} pods from port {ports[0]} on need ports above {LAST_PORT}")
        refuse_taken(given.host, ports)
        self._settings = self._servers.fill_in(given)
        own = {
            "LAUREL_DATABASE_URL": self._settings.database_url or "",
            "LAUREL_REDIS_URL": self._settings.redis_url or "",
        }
        self._pods = [
            Pod(folder, number, given.host, port, {**pod_environ, **own}) for number, port in enumerate(ports, start=1)
        ]
        self._demo = Demo(folder, [pod.url for pod in self._pods]) if demo else None

    def run(self) -> None:
        """Returns when a signal asked to stop and all is stopped."""
        try:
            self._servers.start(self._signals.pause)
            self._record()
            self._migrate()
            for pod in self._pods:
                self._signals.pause(0)
                pod.start()
                self._record()
            for pod in self._pods:
                pod.await_ready(self._signals.pause)
            if self._demo:
                self._demo.start(self._signals.pause)
            self._welcome()
            watch(self._children(), self._signals, self._record, _say)
        finally:
            if self._demo:
                self._demo.stop(self._signals.wait)
            stop_pods(self._pods, self._settings.grace_seconds, self._signals.hastened, self._signals.wait)
            self._servers.stop(self._signals.wait)
            self._folder.runtime.unlink(missing_ok=True)

    def _children(self) -> list[Child]:
        return [*self._servers.all, *self._pods, *([self._demo] if self._demo else [])]

    def _migrate(self) -> None:
        from models.catalogue_file import seed_if_empty
        from models.errors import ModelError
        from models.migrate import migrate, missing

        url = self._settings.database_url or ""
        try:
            if asyncio.run(missing(url)):
                require_direct(url, "migrations hold a lock of their session")
                asyncio.run(migrate(url))
            asyncio.run(seed_if_empty(url))
        except ModelError as error:
            raise CommandError(f"the database cannot be prepared: {error}") from error

    def _record(self) -> None:
        runtime = Runtime(
            pid=os.getpid(),
            database_url=self._settings.database_url or "",
            redis_url=self._settings.redis_url or "",
            postgres=record(self._servers.postgres),
            redis=record(self._servers.redis),
            pods=tuple(pod.record for pod in self._pods if pod.record),
            load_test=self._settings.load_test,
            options=self._options,
        )
        write_runtime(self._folder, runtime)

    def _welcome(self) -> None:
        command = f"{_program()} token mint --user NAME --data {self._folder.root}"
        rows = [(pod.name, pod.url) for pod in self._pods]
        rows += [
            ("docs", f"{self._pods[0].url}/docs"),
            ("data", str(self._folder.root)),
            ("logs", str(self._folder.log)),
            ("token", command),
        ]
        if self._demo:
            rows.append(("demo", "players come, play and leave on their own"))
        rows += [("stop", "Ctrl-C")]
        print("Laurel is running.", *(f"  {name:<8}{text}" for name, text in rows), sep="\n", flush=True)


def _given(args: argparse.Namespace) -> dict[str, str]:
    """Options are settings: they win over the environment."""
    given = {
        "LAUREL_HOST": args.host,
        "LAUREL_PORT": args.port and str(args.port),
        "LAUREL_LOAD_TEST": "true" if args.load_test else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _program() -> str:
    return sys.argv[0] if Path(sys.argv[0]).name == "laurel" else "laurel"


def _say(text: str) -> None:
    with suppress(OSError):  # a full disk under a log must not end what runs
        print(f"laurel: {text}", file=sys.stderr, flush=True)
