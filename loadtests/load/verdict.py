"""The verdict: what people were told against what the stores hold; pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from loadtests.bench.figures import percentile
from loadtests.load.measured import Budgets, Measured, exceeded
from loadtests.load.told import Answer, Told

MOST_SHOWN = 5
"""Sentences of one kind; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that broke."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger; `at` is Unix seconds."""

    entry_id: str
    kind: str
    user_id: str
    change: int
    score_after: int
    user_version: int
    at: float


@dataclass(frozen=True, slots=True)
class Stand:
    """A player's score; the version is known only from the database."""

    score: int
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Top:
    """A board's first rows as (user id, score), read from one place."""

    where: str
    epoch: str
    version: int
    rows: Sequence[tuple[str, int]]
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Continued:
    """A viewer's last fold, led on by the server to its present top; `error` when that failed."""

    viewer: str
    top: Top | None
    error: str = ""


@dataclass(slots=True)
class Stores:
    """What was found after the run; None where nobody could look."""

    entries: list[Entry] | None = None
    broken: list[str] = field(default_factory=list)
    """Players whose score, version and ledger differ."""
    stands: dict[str, Stand] = field(default_factory=dict)
    redis: dict[str, int] | None = None
    tops: list[Top] = field(default_factory=list)
    continued: list[Continued] = field(default_factory=list)
    board_key: str = ""
    """The board's name within Redis; empty when unknown."""
    notes: list[str] = field(default_factory=list)


def judge(told: Told, stores: Stores, measured: Measured, budgets: Budgets) -> list[Finding]:
    """Everything that broke; empty is a pass."""
    found = [
        *_told_wrongly(told.answers),
        *_told_twice(told.answers),
        *_ledger(told, stores),
        *(Finding("ledger", text) for text in stores.broken),
        *_scores(told, stores),
        *_redis(told, stores),
        *_tops(stores),
        *_folds(told, stores),
        *(Finding("cheat", f"{cheat.what}: {cheat.detail}") for cheat in told.cheats),
        *_budgets(told, stores, measured, budgets),
        *_whole(told),
    ]
    return list(_shortened(found))


def _told_wrongly(answers: Sequence[Answer]) -> Iterator[Finding]:
    """An answer is about what was sent, and gives what that is worth."""
    for answer in answers:
        asked = answer.asked
        if asked.ticket_id not in ("", answer.entry_id):
            yield Finding("lost", f"{asked.user_id} sent {asked.ticket_id}, and was told of {answer.entry_id}")
        if answer.change != asked.points:
            kind = "lost" if answer.change < asked.points else "doubled"
            yield Finding(kind, f"{answer.entry_id} is worth {asked.points:+d}, and counted {answer.change:+d}")


def _told_twice(answers: Sequence[Answer]) -> Iterator[Finding]:
    """One entry has one result, and is new once; one version of a player is one entry's."""
    by_entry: dict[str, list[Answer]] = defaultdict(list)
    by_version: dict[tuple[str, int], set[str]] = defaultdict(set)
    for answer in answers:
        by_entry[answer.entry_id].append(answer)
        by_version[answer.user_id, answer.user_version].add(answer.entry_id)
    for entry_id, same in by_entry.items():
        if len({_result(answer) for answer in same}) > 1:
            yield Finding("doubled", f"{entry_id} was answered with different results")
        if (asked := len({(answer.asked.ticket_id, answer.asked.key) for answer in same})) > 1:
            yield Finding("lost", f"{entry_id} was the answer to {asked} different things")
        if sum(not answer.replayed for answer in same) > 1:
            yield Finding("doubled", f"{entry_id} was told to be new more than once")
    for (user_id, version), entries in by_version.items():
        if len(entries) > 1:
            yield Finding("lost", f"{len(entries)} entries of {user_id} share version {version}: one was overwritten")


def _result(answer: Answer) -> tuple[str, str, int, int, int]:
    return answer.asked.kind, answer.user_id, answer.change, answer.new_score, answer.user_version


def _ledger(told: Told, stores: Stores) -> Iterator[Finding]:
    """Whatever was told is an entry, and whatever is an entry was told."""
    if stores.entries is None:
        return
    entries = {entry.entry_id: entry for entry in stores.entries}
    known = {answer.entry_id for answer in told.answers} | {one.asked.ticket_id for one in told.unknown}
    for answer in {answer.entry_id: answer for answer in told.answers}.values():
        entry = entries.get(answer.entry_id)
        if entry is None:
            yield Finding("lost", f"{answer.user_id} was told {answer.change:+d} for {answer.entry_id}: no entry")
        elif (entry.kind, entry.user_id, entry.change, entry.score_after, entry.user_version) != _result(answer):
            yield Finding("lost", f"the entry {answer.entry_id} is not what {answer.user_id} was told")
    for refused in told.refused:
        if refused.ticket_id in entries and refused.ticket_id not in known:
            yield Finding("cheat", f"ticket {refused.ticket_id} was refused ({refused.code}), and counts")
    ours = {answer.user_id for answer in told.answers} | {refused.user_id for refused in told.refused}
    known |= {refused.ticket_id for refused in told.refused}
    vague = {(one.asked.user_id, one.asked.kind) for one in told.unknown if not one.asked.ticket_id}
    for entry in stores.entries:
        unexplained = entry.user_id in ours and entry.at >= told.since and entry.entry_id not in known
        if unexplained and (entry.user_id, entry.kind) not in vague:
            what = f"{entry.change:+d} by {entry.kind} {entry.entry_id}"
            yield Finding("doubled", f"{entry.user_id} has {what}, asked by nobody")


def _scores(told: Told, stores: Stores) -> Iterator[Finding]:
    """A score is what was told of it last, unless something may have moved it that nobody was told of."""
    unsure = {one.asked.user_id for one in told.unknown}
    for user_id, answer in _last(told.answers).items():
        stand = stores.stands.get(user_id)
        if stand is None:
            yield Finding("lost", f"{user_id} was told a score of {answer.new_score:,} and has none")
        elif stand.version is not None and stand.version < answer.user_version:
            yield Finding("lost", f"{user_id} is at version {stand.version}, and was told {answer.user_version}")
        elif stand.score < answer.new_score and user_id not in unsure:
            yield Finding("lost", f"{user_id} was told {answer.new_score:,} and has {stand.score:,}")
        elif stand.score > answer.new_score and user_id not in unsure and stand.version in (None, answer.user_version):
            yield Finding("doubled", f"{user_id} was told {answer.new_score:,} and has {stand.score:,}")


def _last(answers: Iterable[Answer]) -> dict[str, Answer]:
    last: dict[str, Answer] = {}
    for answer in answers:
        if answer.user_id not in last or last[answer.user_id].user_version < answer.user_version:
            last[answer.user_id] = answer
    return last


def _redis(told: Told, stores: Stores) -> Iterator[Finding]:
    if stores.redis is None:
        return
    for user_id in {answer.user_id for answer in told.answers} | stores.redis.keys():
        stand, shown = stores.stands.get(user_id), stores.redis.get(user_id)
        if (None if stand is None else stand.score) != shown:
            yield Finding("redis", f"{user_id}: {stand and stand.score} in the database, {shown} in Redis")


def _tops(stores: Stores) -> Iterator[Finding]:
    """Every pod shows the same rows, sorted, with scores as they are."""
    for top in stores.tops:
        if top.degraded:
            yield Finding("board", f"{top.where} is degraded")
        if [score for _, score in top.rows] != sorted((score for _, score in top.rows), reverse=True):
            yield Finding("board", f"{top.where} is not in order")
        for user_id, score in top.rows:
            stand = stores.stands.get(user_id)
            if stand is not None and stand.score != score:
                yield Finding("board", f"{top.where} shows {score:,} for {user_id}, who has {stand.score:,}")
        if list(top.rows) != list(stores.tops[0].rows):
            yield Finding("board", f"{top.where} shows another top than {stores.tops[0].where}")


def _folds(told: Told, stores: Stores) -> Iterator[Finding]:
    """Who saw one version saw the same; and every fold leads to the present top."""
    for divergence in told.divergences:
        yield Finding("fold", f"{divergence.viewer}: {divergence.detail}")
    held: dict[tuple[str, int], Sequence[tuple[str, int]]] = {}
    for view in told.views:
        first = held.setdefault((view.epoch, view.version), view.rows)
        if first != view.rows:
            yield Finding("fold", f"{view.viewer} folded another version {view.version} than others")
    if stores.entries is not None:
        # What a score was before an entry counts too: the entries before the first one may be archived.
        reached = {(entry.user_id, entry.score_after - less) for entry in stores.entries for less in (0, entry.change)}
        users = {entry.user_id for entry in stores.entries}
        for view in told.views:
            never = [row for row in view.rows if row[0] in users and row not in reached]
            if never:
                yield Finding("fold", f"{view.viewer} folded a score that never was: {never[0]}")
    for continued in stores.continued:
        if continued.top is None:
            yield Finding("fold", f"{continued.viewer} cannot be led on to the present top: {continued.error}")
        elif stores.tops and list(continued.top.rows) != list(stores.tops[0].rows[: len(continued.top.rows)]):
            yield Finding("fold", f"{continued.viewer} folds to another top than {stores.tops[0].where} shows")


def lags(told: Told, stores: Stores) -> list[float]:
    """From the ledger's stamp to each first sight of it, in ms; empty where nobody could look."""
    return [lag_ms for _, lag_ms in sights(told, stores)]


def sights(told: Told, stores: Stores) -> list[tuple[float, float]]:
    """When a score was first seen, in Unix seconds, and how many ms after the ledger's stamp."""
    if stores.entries is None:
        return []
    stamped = {(entry.user_id, entry.score_after): entry.at for entry in stores.entries if entry.at >= told.since}
    keyed = ((seen, stamped.get((seen.user_id, seen.score))) for seen in told.seen)
    return [(seen.at, (seen.at - at) * 1000) for seen, at in keyed if at is not None]


def _budgets(told: Told, stores: Stores, measured: Measured, budgets: Budgets) -> Iterator[Finding]:
    for text in exceeded(measured.rows, budgets):
        yield Finding("budget", text)
    delays = lags(told, stores)
    for what, share, limit in (("p95", 0.95, budgets.lag.p95_ms), ("p99", 0.99, budgets.lag.p99_ms)):
        if delays and percentile(delays, share) > limit:
            value = percentile(delays, share)
            yield Finding("budget", f"commit → screen: {what} {value:,.0f} ms, allowed are {limit:,.0f} ms")


def _whole(told: Told) -> Iterator[Finding]:
    if not told.redemptions:
        yield Finding("incomplete", "nobody was told of a redemption")
    if len(told.ended) < len(told.began):
        yield Finding("incomplete", f"{len(told.began) - len(told.ended)} processes of the generator died")


def _shortened(found: Sequence[Finding]) -> Iterator[Finding]:
    counted: Counter[str] = Counter()
    for finding in found:
        counted[finding.kind] += 1
        if counted[finding.kind] <= MOST_SHOWN:
            yield finding
    for kind, count in counted.items():
        if count > MOST_SHOWN:
            yield Finding(kind, f"and {count - MOST_SHOWN:,} more")


def summary(told: Told, stores: Stores, measured: Measured) -> Mapping[str, str]:
    """The run in a few lines."""
    cpu, wall = sum(end.cpu_seconds for end in told.ended), max((end.wall_seconds for end in told.ended), default=0)
    busiest = max((end.busiest_percent for end in told.ended), default=0)
    delays = lags(told, stores)
    redeemed = {answer.entry_id for answer in told.redemptions}
    shown = {
        "redemptions told": f"{len(redeemed):,}",
        "of them by replay": f"{sum(answer.replayed for answer in told.redemptions):,} answers",
        "administrators' moves told": f"{len({answer.entry_id for answer in told.answers} - redeemed):,}",
        "outcome unknown": f"{len(told.unknown):,}",
        "cheats refused": f"{sum(row.count - row.failures for row in measured.rows if row.name.startswith('cheat')):,}",
        "viewers' folds compared": f"{len(told.views):,}, of them {len(stores.continued):,} led on to the present top",
        "generator's CPU": f"{100 * cpu / wall if wall else 0:.0f} % of a core in {len(told.ended)} processes, "
        f"busiest second {busiest:.0f} % of a core in one",
    }
    if delays:
        shown["commit → screen"] = (
            f"p50 {percentile(delays, 0.5):,.0f} ms, p95 {percentile(delays, 0.95):,.0f} ms, "
            f"p99 {percentile(delays, 0.99):,.0f} ms of {len(delays):,}, from the ledger's time stamp"
        )
    return shown
