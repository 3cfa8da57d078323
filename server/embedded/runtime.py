"""What runs on a data folder, for other commands to find."""

import msgspec

from server.embedded.errors import EmbeddedError
from server.embedded.folder import DataFolder
from server.embedded.processes import ProcessKey


class RunningServer(msgspec.Struct, frozen=True, rename="camel"):
    pid: int
    create_time: float
    port: int


class RunningPod(msgspec.Struct, frozen=True, rename="camel"):
    url: str
    pid: int
    create_time: float

    @property
    def key(self) -> ProcessKey:
        return ProcessKey(self.pid, self.create_time)


class Runtime(msgspec.Struct, frozen=True, rename="camel"):
    """One `laurel up`; the addresses hold passwords.

    `postgres` and `redis` are None where configured servers are used; `options` are the settings
    that it was given, without secrets.
    """

    pid: int
    database_url: str
    redis_url: str
    postgres: RunningServer | None = None
    redis: RunningServer | None = None
    pods: tuple[RunningPod, ...] = ()
    load_test: bool = False
    options: dict[str, str] = {}


def read_runtime(folder: DataFolder) -> Runtime | None:
    """The last record, which its writer may have outlived or not."""
    try:
        return msgspec.json.decode(folder.runtime.read_bytes(), type=Runtime)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise EmbeddedError(f"cannot read {folder.runtime}: {error}") from error


def running(folder: DataFolder) -> Runtime | None:
    """The record of an `up` that lives: its lock is held."""
    return read_runtime(folder) if folder.is_held() else None


def write_runtime(folder: DataFolder, runtime: Runtime) -> None:
    folder.write_private(folder.runtime, msgspec.json.format(msgspec.json.encode(runtime)).decode())
