"""Whether pods are ready, and what they count that should not be."""

import http.client
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from urllib.parse import urlsplit

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from server.doctor.finding import Finding, bounded, ok, weak, wrong
from server.embedded.folder import DataFolder
from server.embedded.runtime import running

ASK_SECONDS = 3.0
SKEW_SECONDS = (0.5, 5.0)
"""Between a pod's clock and the database's: from when weak, from when wrong."""


class Readiness(msgspec.Struct):
    """What is told of it by pods of any version."""

    missing: list[str]
    degraded: list[str]


def examine(folder: DataFolder, urls: Sequence[str]) -> Iterator[Finding]:
    """Asks the pods named, and those of a running `laurel up`."""
    up = running(folder)
    named = {pod.url: f"{pod.url} (pid {pod.pid})" for pod in up.pods} if up else {}
    named |= {url.rstrip("/"): url.rstrip("/") for url in urls if url.rstrip("/") not in named}
    if not named:
        yield ok("pods", "no `laurel up` runs on this data folder, and --pod names none")
    for url, name in named.items():
        try:
            ready, page = _get(url, "/readyz"), _get(url, "/metrics")
            yield from _stands(name, msgspec.json.decode(ready, type=Readiness))
            yield from counted(name, page)
        except (OSError, http.client.HTTPException, ValueError, msgspec.MsgspecError) as error:
            yield wrong("pods", f"{name} does not answer: {error}")


def _get(url: str, path: str) -> str:
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def _stands(name: str, stands: Readiness) -> Iterator[Finding]:
    if stands.missing:
        yield wrong("pods", f"{name} is not ready: {', '.join(stands.missing)}")
    elif stands.degraded:
        yield weak("pods", f"{name} is ready, but does without {', '.join(stands.degraded)}")
    else:
        yield ok("pods", f"{name} is ready")


def counted(name: str, page: str) -> Iterator[Finding]:
    """What a pod's metrics say that somebody should know."""
    found: dict[str, dict[str, float]] = {}
    runs = ""
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found.setdefault(sample.name, {})[next(iter(sample.labels.values()), "")] = sample.value
            runs = sample.labels.get("version", runs) if sample.name == "laurel_build_info" else runs
    if runs != version("laurel"):
        yield weak("pods", f"{name} runs version {runs or 'unknown'}, this is {version('laurel')}")
    for counter, text in (
        ("laurel_restarts_total", "had to restart loops"),
        ("laurel_user_actor_crashes_total", "dropped players' actors that raised"),
        ("laurel_divergences_total", "found players to differ from the ledger, and mended what can be"),
        ("laurel_rollbacks_total", "found the ledger to be behind a checkpoint"),
        ("laurel_checkpoint_failures_total", "could not write checkpoints"),
    ):
        counts = {label: int(value) for label, value in found.get(counter, {}).items() if value}
        if counts:
            where = ", ".join(f"{label} {count}".strip() for label, count in sorted(counts.items()))
            yield weak("pods", f"{name} {text} since it began: {where}")
    limits = found.get("laurel_pool_connections_limit", {})
    for pool, used in found.get("laurel_pool_connections_used", {}).items():
        if pool in limits and used >= limits[pool]:
            yield weak("pools", f"{name} uses all {limits[pool]:.0f} connections of its pool {pool}")
    offset = found.get("laurel_clock_offset_seconds", {}).get("", 0.0)
    ahead_ms = round(-offset * 1000)
    yield bounded("clock", abs(offset), *SKEW_SECONDS, f"{name} was {ahead_ms:+d} ms from PostgreSQL's time")
