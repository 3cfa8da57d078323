"""Periods that are over: their results, frozen once and revised by voids alone."""

from dataclasses import dataclass
from datetime import UTC, datetime

from models.board import Board, Period
from models.board_rules import encoded, ruled, rules_of
from models.database import Database, Row, sql
from models.ids import UserId
from models.ranking import Row as BoardRow
from models.snapshot import refold
from models.standings import PAGE, row_from

FROM_STANDINGS = "FROM standings WHERE board_key = $1 AND period = $2 AND present AND NOT hidden"
FROM_RESULT = "FROM result_rows WHERE result = $1::bigint AND $2::int BETWEEN since AND until"

PAGE_OF_RESULT = PAGE.replace(FROM_STANDINGS, FROM_RESULT)
PERIODS = sql("standings_periods")
FREEZE = sql("freeze_result")
RESULTS = sql("results_of")
RESULT = sql("result")
VOIDS = sql("voids_young")
REVISE = sql("revise_result")
VERSION = "SELECT version FROM players WHERE id = $1"
REMEMBER_RULES = """
INSERT INTO board_revisions (board_id, revision, rules) VALUES ($1, $2, $3::text::jsonb) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Result:
    """A period's frozen result in one revision; times are Unix milliseconds."""

    result_id: int
    period: Period
    revision: int
    players: int
    made_at: int


def _result(row: Row) -> Result:
    period = Period(row["period"], row["starts"], row["ends"])
    return Result(row["id"], period, row["revision"], row["players"], row["made"])


async def results(database: Database, board_id: str, limit: int, after: tuple[int, str] | None = None) -> list[Result]:
    """A board's results, newest first, behind an end and a period's id."""
    return [_result(row) for row in await database.rows(RESULTS, board_id, *(after or (None, None)), limit)]


async def result(database: Database, board_id: str, period: str, revision: int | None = None) -> Result | None:
    """The result of a period in a revision, or in its latest."""
    rows = await database.rows(RESULT, board_id, period, revision)
    return _result(rows[0]) if rows else None


async def page(database: Database, found: Result, limit: int, after: BoardRow | None = None) -> list[BoardRow]:
    """Rows of a result in rank order, behind a given one."""
    last = (None, None, None) if after is None else (after.score, after.reached_at, after.user_id)
    rows = await database.rows(PAGE_OF_RESULT, found.result_id, found.revision, *last, limit)
    return [row_from(row) for row in rows]


async def due(database: Database, board: Board, before_ms: int) -> list[Period]:
    """Periods of a board that ended by a time and have no result: those with rows, and its season in any case."""
    names = [row["period"] for row in await database.rows(PERIODS, board.key)]
    named = [period for name in names if (period := board.period_named(name))]
    season = board.set_season
    if season is not None and season not in named:
        named.append(season)
    ended = [period for period in named if period.end_ms is not None and period.end_ms <= before_ms]
    if not ended:
        return []
    known = await database.rows(
        "SELECT period FROM results WHERE board_id = $1 AND period = ANY($2::text[])",
        board.board_id,
        [period.period_id for period in ended],
    )
    frozen = {row["period"] for row in known}
    return sorted((p for p in ended if p.period_id not in frozen), key=lambda period: period.end_ms or 0)


async def freeze(database: Database, board: Board, period: Period) -> bool:
    """Freezes a period's result as the standings have it; False when somebody else has."""
    await database.rows(REMEMBER_RULES, board.board_id, board.revision, encoded(rules_of(board)))
    ends = [datetime.fromtimestamp((ms or 0) / 1000, UTC) for ms in (period.start_ms, period.end_ms)]
    rows = await database.alone(FREEZE, board.board_id, board.revision, board.key, period.period_id, *ends)
    return bool(rows)


@dataclass(frozen=True, slots=True)
class Late:
    """A void that may change a frozen result, and the board by whose rules that was made."""

    entry_id: str
    user_id: UserId
    result_id: int
    period: str
    board: Board


async def late_voids(database: Database, since_ms: int) -> list[Late]:
    """Voids made since a time whose targets lie in frozen periods."""
    since = datetime.fromtimestamp(max(0, since_ms) / 1000, UTC)
    return [
        Late(
            row["entry_id"],
            UserId(row["user_id"]),
            row["id"],
            row["period"],
            ruled(row["board_id"], row["board_revision"], row["rules"]),
        )
        for row in await database.rows(VOIDS, since)
    ]


async def revise(database: Database, late: Late) -> bool:
    """Makes a new revision where a void changes a result; whether it does. Doing it again changes nothing."""
    version = (await database.rows(VERSION, late.user_id))[0]["version"]
    state = await refold(database, late.user_id, version, [late.board])
    standing = state.standings.get((late.board.key, late.period))
    score, reached_at = standing or (None, None)
    return bool(await database.rows(REVISE, late.result_id, late.user_id, score, reached_at, late.entry_id))
