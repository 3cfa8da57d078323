"""What the generator measured, and the budgets for it."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

BUDGETS = Path(__file__).parent.parent / "budgets.toml"
FILE = "measured.json"
OWN = "OWN"
"""Kind of the rows that are no requests: the generator's own events."""


class Row(msgspec.Struct, frozen=True):
    """One line of the table; times in ms."""

    kind: str
    name: str
    count: int
    failures: int
    p50: float
    p95: float
    p99: float
    most: float


class Moment(msgspec.Struct, frozen=True):
    """One point of the charts; seconds since the start, per second, ms."""

    at: float
    people: int
    requests: float
    failures: float
    p50: float
    p95: float


class Measured(msgspec.Struct, frozen=True):
    """A run in numbers; `hosts` are the pods it spoke with."""

    hosts: list[str]
    seconds: float
    rows: list[Row]
    history: list[Moment]
    errors: list[str] = []
    """Failed requests and what they failed with, counted."""

    def write(self, folder: Path) -> None:
        (folder / FILE).write_bytes(msgspec.json.encode(self))

    @classmethod
    def read(cls, folder: Path) -> "Measured":
        return msgspec.json.decode((folder / FILE).read_bytes(), type=cls)


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the rows whose name begins so; what is not named is not limited."""

    name: str
    p95_ms: float | None = None
    p99_ms: float | None = None
    failures_percent: float | None = None
    most: int | None = None
    """So many may be counted."""
    least: int | None = None
    """So many must be counted: a budget of nothing says nothing."""


class Lag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits from the ledger's time stamp to the screen."""

    p95_ms: float
    p99_ms: float


class Budgets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    budget: list[Budget]
    lag: Lag
    failures_percent: float
    """Of all requests."""

    @classmethod
    def read(cls, path: Path = BUDGETS) -> "Budgets":
        return msgspec.convert(tomllib.loads(path.read_text()), cls)


def exceeded(rows: Iterable[Row], budgets: Budgets) -> Iterator[str]:
    """A sentence for every limit that does not hold; pure."""
    rows = list(rows)
    asked = [row for row in rows if row.kind != OWN]
    total, failed = sum(row.count for row in asked), sum(row.failures for row in asked)
    if total and 100 * failed / total > budgets.failures_percent:
        yield f"{failed:,} of {total:,} requests failed, allowed are {budgets.failures_percent:g} %"
    for budget in budgets.budget:
        found = [row for row in rows if row.name.startswith(budget.name)]
        count = sum(row.count for row in found)
        if budget.least is not None and count < budget.least:
            yield f"{budget.name}: {count:,} counted, at least {budget.least:,} are needed to judge"
        if budget.most is not None and count > budget.most:
            yield f"{budget.name}: {count:,} counted, allowed are {budget.most:,}"
        for row in found:
            yield from _exceeded_by(row, budget)


def _exceeded_by(row: Row, budget: Budget) -> Iterator[str]:
    limits: Mapping[str, tuple[float, float | None]] = {
        "p95": (row.p95, budget.p95_ms),
        "p99": (row.p99, budget.p99_ms),
    }
    for what, (value, limit) in limits.items():
        if limit is not None and value > limit:
            yield f"{row.name}: {what} {value:,.0f} ms, allowed are {limit:,.0f} ms"
    if budget.failures_percent is not None and row.count and 100 * row.failures / row.count > budget.failures_percent:
        yield f"{row.name}: {row.failures:,} of {row.count:,} failed, allowed are {budget.failures_percent:g} %"
