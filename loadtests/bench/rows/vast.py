"""A board of very many: reads, a rebuild, boards defined and frozen, and life without Redis."""

import http.client
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from loadtests.bench.figures import Figure, percentile
from loadtests.bench.minting import Player
from loadtests.bench.plan import Plan
from loadtests.bench.processes import BenchError
from loadtests.bench.stage import Stage
from models.ids import UserId

READS = 1_500
PAGES = 200
READS_WITHOUT = 40
"""Each counts a million rows."""
BASE = "/api/v1/boards/global"
BOARDS = "/api/v1/admin/boards"
LATENCY_MS = 5.0
"""What a read may take at the server, p99, under no load."""
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 900.0
PROBE_SECONDS = 0.002
IDLE_SECONDS = 30.0
"""A connection is not used after that: the pod closes it at some time."""
RULES = {"title": "New", "fold": "sum", "window": "all", "filter": {"actions": ["sprint"]}}
ADMIN = "UPDATE accounts SET role = 'admin' WHERE user_id = $1"
SOME = "SELECT user_id::text FROM standings TABLESAMPLE BERNOULLI (1) ORDER BY random() LIMIT 3000"


class Reader:
    """One connection to a pod, one request after the other."""

    def __init__(self, url: str, token: str = "") -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._used = time.monotonic()
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """What an answer of success says; raises BenchError for any other."""
        text = self.text(path, method, None if body is None else msgspec.json.encode(body))
        return msgspec.json.decode(text) if text else None

    def text(self, path: str, method: str = "GET", body: bytes | None = None) -> bytes:
        """The same, not read."""
        status, found = self._sent(path, method, body)
        if not 200 <= status < 300:
            raise BenchError(f"{path}: {status} {found[:200]!r}")
        return found

    def insist(self, path: str, method: str) -> None:
        """Sends it again for as long as the pod says that it is still busy with it."""
        while (answered := self._sent(path, method))[0] == http.client.SERVICE_UNAVAILABLE:
            pass
        if answered[0] != http.client.OK:
            raise BenchError(f"{path}: {answered[0]} {answered[1][:200]!r}")

    def _sent(self, path: str, method: str, body: bytes | None = None) -> tuple[int, bytes]:
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()  # the next request makes another
        self._connection.request(method, path, body=body, headers=self._headers)
        answer = self._connection.getresponse()
        found = answer.read()
        self._used = time.monotonic()
        return answer.status, found


class Probe:
    """Asks for `/healthz` all the time: its longest answer is the longest block of the pod's loop, or longer."""

    def __init__(self, url: str) -> None:
        self._reader = Reader(url)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.worst_ms = 0.0

    def _ask(self) -> None:
        while not self._over.wait(PROBE_SECONDS):
            began = time.perf_counter()
            self._reader.text("/healthz")
            self.worst_ms = max(self.worst_ms, (time.perf_counter() - began) * 1e3)

    def __enter__(self) -> "Probe":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()


def measure(stage: Stage, plan: Plan, database: str, players: int, figures: list[Figure]) -> None:
    """One run on a filled database, figure by figure; the pod and its stores are the only load."""
    ids = [row["user_id"] for row in stage.rows(database, SOME)]
    admin, *cold = stage.mint.players([UserId(name) for name in ids[:300]])
    stage.rows(database, ADMIN, admin.user_id)
    with Redis.from_url(stage.environ(database)["LAUREL_REDIS_URL"]) as redis:
        empty = redis.info("memory")["used_memory"]
        began = time.monotonic()
        with stage.pods(database) as (pod,):
            start = time.monotonic() - began
            used = redis.info("memory")["used_memory"] - empty
            board = Vast(plan, pod.url, ids, Reader(pod.url, stage.mint.admin(admin.user_id)), figures)
            board.add(Figure("start of a pod to a rebuilt board", (start,), "s"))
            board.add(Figure("memory of Redis", (used / 2**20,), "MiB", note=f"{used / players:.0f} bytes a player"))
            board.reads()
            board.done_within("rebuild, Redis emptied", redis.flushall, "global", bound=60, wanted=30)
            board.activation(stage, cold)
            board.done_within("freeze", lambda: board.admin.insist(f"{BOARDS}/global/freeze", "PUT"), "global")
            board.done_within("release", lambda: board.admin.text(f"{BOARDS}/global/freeze", "DELETE"), "global")
            new = RULES | {"boardId": "new"}
            board.done_within("define a board", lambda: board.admin.ask(f"{BOARDS}/", "POST", new), "new")
            other = RULES | {"fold": "best"}
            board.done_within("change its rules", lambda: board.admin.ask(f"{BOARDS}/new", "PUT", other), "new")
            with stage.without_redis():
                board.reads_without()


class Vast:
    """A pod's board under measurement; each step adds its figures."""

    def __init__(self, plan: Plan, url: str, ids: Sequence[str], admin: Reader, figures: list[Figure]) -> None:
        self._plan = plan
        self._url = url
        self._ids = ids
        self._figures = figures
        self._reader = Reader(url)
        self.admin = admin

    def reads(self) -> None:
        """Each kind of read, one after the other: as the client sees it, and as the pod does."""
        cursors = [self._reader.ask(f"{BASE}/top?limit=100")["next"]]
        while len(cursors) < PAGES and (last := self._reader.ask(f"{BASE}/top?limit=100&cursor={cursors[-1]}")["next"]):
            cursors.append(last)
        choose = random.choice
        self._timed("top 10", "top", lambda: self._reader.text(f"{BASE}/top"))
        self._timed(
            "100 rows further down", "top", lambda: self._reader.text(f"{BASE}/top?limit=100&cursor={choose(cursors)}")
        )
        self._timed("a rank", "place", lambda: self._reader.text(f"{BASE}/users/{choose(self._ids)}"))
        self._timed("11 rows around", "around", lambda: self._reader.text(f"{BASE}/around/{choose(self._ids)}"))
        self._timed("a subset of 100", "subset", self._subset, bound=None)

    def reads_without(self) -> None:
        """The same while PostgreSQL answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._reader.ask(f"{BASE}/top?limit=1")["degraded"] and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        for what, read in (
            ("top 10", lambda: self._reader.text(f"{BASE}/top")),
            ("a rank", lambda: self._reader.text(f"{BASE}/users/{random.choice(self._ids)}")),
            ("11 rows around", lambda: self._reader.text(f"{BASE}/around/{random.choice(self._ids)}")),
            ("a subset of 100", self._subset),
        ):
            times = _times(read, READS_WITHOUT)
            self.add(Figure(f"{what} without Redis, slowest", (max(times),), "ms", "at most", 1_000))

    def activation(self, stage: Stage, cold: Sequence[Player]) -> None:
        """First redemptions of players whom the pod has not in memory."""
        tickets = stage.mint.tickets(cold, len(cold))
        times = []
        for player, (_, ticket) in zip(cold, tickets, strict=True):
            reader = Reader(self._url, player.token)
            reader.text("/api/v1/me/friends")  # the connection is made and the token verified
            times.extend(_times(lambda r=reader, t=ticket: r.ask("/api/v1/tickets/redeem", "POST", {"ticket": t}), 1))
        self.add(Figure("first redemption of a player, p99", (percentile(times, 0.99),), "ms"))

    def done_within(
        self, what: str, step: Callable[[], object], board: str, bound: float | None = None, wanted: float | None = None
    ) -> None:
        """How long a step takes until its board is in Redis, and how long the pod answered nobody meanwhile."""
        with Probe(self._url) as probe:
            began = time.monotonic()
            before = self._epoch("global") if board == "global" else ""
            step()
            while self._epoch(board) in ("", before) if before else not self._epoch(board):
                if time.monotonic() - began > PATIENCE_SECONDS:
                    raise BenchError(f"{what}: not done after {PATIENCE_SECONDS:.0f} s")
                time.sleep(POLL_SECONDS)
            seconds = time.monotonic() - began
        self.add(Figure(what, (seconds,), "s", "stated" if bound is None else "at most", bound, wanted))
        self.add(Figure(f"{what}: longest wait for /healthz", (probe.worst_ms,), "ms"))

    def _epoch(self, board: str) -> str:
        """The epoch that everybody but admins is shown; empty while PostgreSQL answers."""
        return str(self._reader.ask(f"/api/v1/boards/{board}/top?limit=1")["epoch"])

    def _subset(self) -> bytes:
        body = msgspec.json.encode({"userIds": random.sample(self._ids, 100)})
        return self._reader.text(f"{BASE}/subset", "POST", body)

    def _timed(self, what: str, name: str, read: Callable[[], object], bound: float | None = LATENCY_MS) -> None:
        before = self._buckets(name)
        times = _times(read, READS)
        counts = {bound: count - before.get(bound, 0.0) for bound, count in self._buckets(name).items()}
        handler = min(bound for bound, count in counts.items() if count >= 0.99 * READS) * 1e3
        note = f"at the client p50 {percentile(times, 0.5):.2f}, p99 {percentile(times, 0.99):.2f} ms"
        self.add(Figure(f"{what}, p99 in the handler at most", (handler,), "ms", "at most", bound, None, note))

    def _buckets(self, name: str) -> dict[float, float]:
        """How many reads took at most so long in their handler."""
        page = self._reader.text("/metrics").decode()
        return {
            float(sample.labels["le"]): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == "laurel_read_seconds_bucket" and sample.labels["read"] == name
        }

    def add(self, figure: Figure) -> None:
        """Takes a figure, and tells whoever waits."""
        self._figures.append(figure)
        self._plan.say(f"{figure.what}: {figure.median:.2f} {figure.unit} {figure.note}")


def _times(read: Callable[[], object], count: int) -> list[float]:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        read()
        times.append((time.perf_counter() - began) * 1e3)
    return times
