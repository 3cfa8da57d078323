"""What a pod counts, as Prometheus reads it."""

from collections.abc import Iterable, Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from actors.auditor import STORES
from actors.tally import Histogram
from server.runtime import Runtime

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """The page of one pod: its own numbers, the process's and the garbage collector's."""

    def __init__(self, runtime: Runtime) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(RuntimeCollector(runtime))
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def page(self) -> bytes:
        """All numbers as they are now, in the text format."""
        return generate_latest(self._registry)


class RuntimeCollector(Collector):
    """Reads the counters that lie about in a runtime; nothing is counted here."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> Iterable[Metric]:
        """Nothing: what is collected depends on the runtime."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric of Laurel."""
        yield from self._pod()
        yield from self._requests()
        yield from self._reads()
        yield from self._redemption()
        yield from self._actors()
        yield from self._viewers()
        yield from self._boards()
        yield from self._audits()
        yield from self._pools()

    def _pod(self) -> Iterator[Metric]:
        runtime = self._runtime
        yield InfoMetricFamily("laurel_build", "The version that runs.", {"version": version("laurel")})
        yield _gauge("laurel_ready", "1 while this pod itself is ready.", not runtime.missing())
        away = GaugeMetricFamily("laurel_degraded", "1 while a shared server is away.", labels=["dependency"])
        away.add_metric(["postgresql"], runtime.notices.deaf)
        away.add_metric(["redis"], runtime.ordering.away)
        yield away
        lag = runtime.tallies.loop_lag_seconds
        yield _gauge("laurel_loop_lag_seconds", "How late the event loop woke when last looked.", lag)
        offset = runtime.clock.offset_ms / 1000
        yield _gauge("laurel_clock_offset_seconds", "The database's clock less this pod's.", offset)
        restarts = CounterMetricFamily("laurel_restarts", "Restarts of the pod's loops.", labels=["loop"])
        for name, count in sorted(runtime.supervisor.restarts.items()):
            restarts.add_metric([name], count)
        yield restarts
        yield _gauge("laurel_failing_loops", "Loops that keep failing.", len(runtime.supervisor.failing))

    def _requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "laurel_requests", "Requests answered, by route.", labels=["route", "method", "code"]
        )
        for (route, method, status), count in sorted(self._runtime.tallies.requests.items()):
            requests.add_metric([f"/{route}" if method else route, method, str(status)], count)
        yield requests
        refusals = CounterMetricFamily("laurel_refusals", "Requests refused, by the answer's code.", labels=["code"])
        for code, count in sorted(self._runtime.tallies.refusals.items()):
            refusals.add_metric([code], count)
        yield refusals

    def _reads(self) -> Iterator[Metric]:
        reads = HistogramMetricFamily("laurel_read_seconds", "Time in the handler of a board's read.", labels=["read"])
        for name, histogram in sorted(self._runtime.tallies.read.items()):
            reads.add_metric([name], _buckets(histogram), histogram.total)
        yield reads

    def _redemption(self) -> Iterator[Metric]:
        runtime, tallies = self._runtime, self._runtime.tallies
        stages = HistogramMetricFamily(
            "laurel_redeem_stage_seconds",
            "Stages of a redemption: verify, wait (told to statement), commit, mirror (committed to ranked), push.",
            labels=["stage"],
        )
        for name, histogram in (
            ("verify", tallies.verified),
            ("wait", runtime.committer.waited),
            ("commit", runtime.committer.wrote),
            ("mirror", runtime.mirror.waited),
            ("push", tallies.pushed),
        ):
            stages.add_metric([name], _buckets(histogram), histogram.total)
        yield stages
        yield _histogram("laurel_redeem_seconds", "From a redemption's body to its outcome.", tallies.redeemed)
        batches = runtime.committer.batches
        yield _histogram("laurel_commit_batch_size", "Proposals in one statement.", batches)
        yield _gauge("laurel_commits_in_flight", "Proposals not yet answered.", runtime.committer.in_flight)
        conflicts = runtime.users.conflicts
        yield _counter("laurel_conflicts", "Proposals that lost against another change.", conflicts)
        yield _counter("laurel_replays", "Spent tickets that got their recorded result.", tallies.replays)

    def _actors(self) -> Iterator[Metric]:
        users = self._runtime.users
        waiting = [actor.waiting for actor in users.active]
        yield _gauge("laurel_user_actors", "Players in memory.", len(users))
        yield _gauge("laurel_user_actors_active", "Players with a change in flight.", len(users.active))
        yield _counter("laurel_user_actor_crashes", "User actors dropped because they raised.", users.crashes)
        yield _gauge("laurel_mailbox_waiting", "Requests waiting in all mailboxes.", sum(waiting))
        yield _gauge("laurel_mailbox_deepest", "Requests waiting in the fullest mailbox.", max(waiting, default=0))

    def _viewers(self) -> Iterator[Metric]:
        viewers = GaugeMetricFamily("laurel_viewers", "Viewers of a board on this pod.", labels=["board"])
        delivered = CounterMetricFamily("laurel_deliveries", "Frames written to viewers.", labels=["board"])
        conflated = CounterMetricFamily("laurel_conflations", "Frames left out for slow viewers.", labels=["board"])
        cut = CounterMetricFamily("laurel_viewers_cut", "Viewers cut off because they stalled.", labels=["board"])
        for board_id, leaderboard in sorted(self._runtime.views.live.items()):
            audience = leaderboard.audience
            viewers.add_metric([board_id], len(audience))
            delivered.add_metric([board_id], audience.delivered)
            conflated.add_metric([board_id], audience.conflated)
            cut.add_metric([board_id], audience.cut_off)
        yield from (viewers, delivered, conflated, cut)
        yield _gauge("laurel_connections", "Live connections on this pod.", len(self._runtime.connections))

    def _boards(self) -> Iterator[Metric]:
        runtime = self._runtime
        lagged = runtime.tallies.lagged
        yield _histogram("laurel_board_lag_seconds", "From the oldest commit that a frame shows to that frame.", lagged)
        yield _gauge("laurel_mirror_pending", "Changes not yet sent to Redis.", runtime.mirror.pending)
        yield _counter("laurel_mirror_dropped", "Changes left to the repair.", runtime.mirror.dropped)
        yield _counter("laurel_rebuilds", "Boards rebuilt in Redis by this pod.", runtime.rebuilder.rebuilt)
        filled = runtime.filler.filled
        yield _counter("laurel_players_filled", "Players settled for boards that are new, by this pod.", filled)
        repaired = CounterMetricFamily("laurel_repairs", "Players sent again by this pod.", labels=["store"])
        repaired.add_metric(["postgresql"], runtime.repair.settled_again)
        repaired.add_metric(["redis"], runtime.repair.mirrored_again)
        yield repaired
        behind = runtime.repair.found_behind
        yield _gauge("laurel_divergent_players", "Players older in Redis than in PostgreSQL, at the last look.", behind)

    def _audits(self) -> Iterator[Metric]:
        auditor, checkpoints = self._runtime.auditor, self._runtime.checkpoints
        yield _counter("laurel_audit_passes", "Comparisons of ledger, standings and Redis by this pod.", auditor.passes)
        for name, text, counts in (
            ("laurel_audit_samples", "Players compared with the ledger.", auditor.compared),
            ("laurel_divergences", "Players found to differ from the ledger.", auditor.diverged),
            ("laurel_divergences_mended", "Players, or boards, made to agree with the ledger again.", auditor.mended),
        ):
            counted = CounterMetricFamily(name, text, labels=["store"])
            for store in STORES:
                counted.add_metric([store], counts[store])
            yield counted
        breaks = self._runtime.history.breaks
        yield _counter("laurel_history_breaks", "Times that PostgreSQL was restored or failed over.", breaks)
        yield _counter("laurel_checkpoints", "Signed checkpoints written by this pod.", checkpoints.written)
        yield _counter("laurel_checkpoint_failures", "Checkpoints that could not be written.", checkpoints.failed)
        rolled_back = checkpoints.rolled_back
        yield _counter("laurel_rollbacks", "Checkpoints that knew of more than the ledger has.", rolled_back)

    def _pools(self) -> Iterator[Metric]:
        used = GaugeMetricFamily("laurel_pool_connections_used", "Connections in use.", labels=["pool"])
        most = GaugeMetricFamily("laurel_pool_connections_limit", "Connections a pool may have.", labels=["pool"])
        for name, busy, limit in (*self._runtime.database.pools(), ("redis", *self._runtime.ordering.pool())):
            used.add_metric([name], busy)
            most.add_metric([name], limit)
        yield from (used, most)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value)


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    return HistogramMetricFamily(name, text, _buckets(histogram), histogram.total)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    return [("+Inf" if bound == float("inf") else str(bound), float(count)) for bound, count in histogram.cumulative()]
