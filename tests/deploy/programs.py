"""Programs of Debian as child processes of a test, which says loudly when it has to do without."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest

from tests.laurel_process import ROOT, until

PACKAGES = {"postgres": "postgresql", "initdb": "postgresql"}
"""Where the package is not named as the program."""
HAPROXY_CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def path_of(name: str) -> str:
    """A program's path; skips the test, loudly, where there is none."""
    own = sorted(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin"))
    # Debian's first: an activated environment has a Redis without TLS.
    found = shutil.which(name, path=":".join([*reversed(own), "/usr/bin", "/usr/sbin", os.environ["PATH"]]))
    if found is None:
        pytest.skip(f"!! {name} is missing, so this was NOT tested: apt-get install {PACKAGES.get(name, name)}")
    return found


def identity() -> dict[str, Any]:
    """How a child process becomes nobody, where it is started by root."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def give(folder: Path) -> None:
    """Lets that child process have a folder with all that is in it."""
    if own := identity():
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, own["user"], own["group"])


class Program:
    """Use as a context manager: it runs in a folder, as nobody where it was started by root."""

    def __init__(
        self, folder: Path, name: str, arguments: Sequence[str], environ: Mapping[str, str], port: int
    ) -> None:
        self._command = [path_of(name), *arguments]
        self._environ = {"PATH": "/usr/bin:/bin", **environ}
        self._folder = folder
        self._port = port
        self.log = folder / f"{name}.log"

    def __enter__(self) -> Self:
        give(self._folder)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environ,
                stdout=log,
                stderr=log,
                **identity(),
            )
        until(lambda: self._process.poll() is not None or listens(self._port))
        assert self._process.poll() is None, self.log.read_text()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def haproxy(folder: Path, configuration: Path, environ: Mapping[str, str], port: int) -> Program:
    """HAProxy with a configuration, its variables from the environment."""
    return Program(folder, "haproxy", ["-f", str(configuration)], environ, port)


def proxy(folder: Path, pods: Sequence[int], port: int) -> Program:
    """The project's proxy before three pods."""
    environ = {f"LAUREL_POD_{number}": f"127.0.0.1:{pod}" for number, pod in enumerate(pods, start=1)}
    copy = folder / "haproxy.cfg"
    shutil.copy(HAPROXY_CONFIGURATION, copy)
    return haproxy(folder, copy, environ | {"LAUREL_BIND": f"127.0.0.1:{port}"}, port)


def pgbouncer(folder: Path, configuration: Path, port: int) -> Program:
    """PgBouncer with a configuration."""
    return Program(folder, "pgbouncer", [str(configuration)], {}, port)


def prometheus(folder: Path, configuration: Path, port: int) -> Program:
    """Prometheus with a configuration."""
    arguments = (f"--config.file={configuration}", f"--storage.tsdb.path={folder}/data")
    return Program(folder, "prometheus", [*arguments, f"--web.listen-address=127.0.0.1:{port}"], {}, port)


def postgres(folder: Path, port: int, password: str) -> Program:
    """PostgreSQL that takes encrypted connections only, its certificate in the folder."""
    cluster, secret = folder / "cluster", folder / "password"
    secret.write_text(password)
    command = [path_of("initdb"), "--pgdata", str(cluster), "--username", "laurel", "--pwfile", str(secret)]
    give(folder)
    subprocess.run([*command, "--auth", "scram-sha-256"], check=True, capture_output=True, cwd=folder, **identity())
    (cluster / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    options = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "ssl": "on",
        "ssl_cert_file": str(folder / "tls.crt"),
        "ssl_key_file": str(folder / "tls.key"),
    }
    return Program(
        folder, "postgres", ["-D", str(cluster), *(f"--{name}={value}" for name, value in options.items())], {}, port
    )


def redis(folder: Path, port: int, password: str) -> Program:
    """Redis that takes encrypted connections only, its certificate in the folder."""
    options = {
        "port": "0",
        "tls-port": str(port),
        "bind": "127.0.0.1",
        "save": "",
        "requirepass": password,
        "tls-cert-file": "tls.crt",
        "tls-key-file": "tls.key",
        "tls-ca-cert-file": "tls.crt",
        "tls-auth-clients": "no",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Program(folder, "redis-server", arguments, {}, port)
