"""Debian's HAProxy, PgBouncer and Prometheus as child processes, loudly left out where they are missing."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from tests.laurel_process import ROOT, until

HAPROXY_CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Program:
    """Use as a context manager: it runs in a folder, as nobody where it was started by root."""

    def __init__(
        self, folder: Path, name: str, arguments: Sequence[str], environ: Mapping[str, str], port: int
    ) -> None:
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
        if found is None:
            pytest.skip(f"!! {name} is missing, so this was NOT tested: apt-get install {name}")
        self._command = [found, *arguments]
        self._environ = {"PATH": "/usr/bin:/bin", **environ}
        self._folder = folder
        self._port = port
        self.log = folder / f"{name}.log"

    def __enter__(self) -> Self:
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if user is not None:
            for path in (self._folder, *self._folder.rglob("*")):
                shutil.chown(path, user.pw_uid, user.pw_gid)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environ,
                stdout=log,
                stderr=log,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
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
