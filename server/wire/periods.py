"""The shapes of a board's periods and of their frozen results."""

from actors.frames import rfc3339
from models.board import Period
from models.periods import Result
from server.wire.fields import Wire


class PeriodAnswer(Wire, frozen=True):
    """A board's period; `end` is exclusive, null is open."""

    id: str
    start: str | None
    end: str | None


class ResultAnswer(PeriodAnswer, frozen=True):
    """A past period with the latest revision of its frozen result."""

    revision: int
    revised_at: str
    total_users: int


class PeriodsAnswer(Wire, frozen=True):
    """A page of a board's past periods, newest first."""

    board_id: str
    entries: list[ResultAnswer]
    next: str | None


def period_answer(period: Period) -> PeriodAnswer:
    """A period as clients see it."""
    start, end = period.start_ms, period.end_ms
    return PeriodAnswer(
        id=period.period_id,
        start=None if start is None else rfc3339(start),
        end=None if end is None else rfc3339(end),
    )


def result_answer(result: Result) -> ResultAnswer:
    """A past period with its result."""
    period = period_answer(result.period)
    return ResultAnswer(
        id=period.id,
        start=period.start,
        end=period.end,
        revision=result.revision,
        revised_at=rfc3339(result.made_at),
        total_users=result.players,
    )
