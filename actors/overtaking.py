"""Who was pushed down by whom: pure."""

from dataclasses import dataclass

from actors.frames import Top
from models.ids import UserId


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A player whose place was taken; `rank` is the new one, counted past the top for one who left it."""

    user_id: UserId
    by: UserId
    rank: int


def overtaken(before: Top, after: Top) -> list[Overtaken]:
    """Those pushed down or out between two tops, each with the overtaker that now stands closest above.

    Whoever passed had a worse rank before and has more points now than the one passed had: a player whose own score
    fell, or who was taken off the board, was overtaken by nobody.
    """
    ranks = {row.user_id: row.rank for row in before.rows}
    now = {row.user_id: row for row in after.rows}
    found, pushed_out = [], 0
    for row in before.rows:
        present = now.get(row.user_id)
        above = after.rows if present is None else after.rows[: present.rank - 1]
        passers = [one for one in above if ranks.get(one.user_id, row.rank + 1) > row.rank and one.score > row.score]
        if not passers or (present is not None and present.rank <= row.rank):
            continue
        if present is None:
            pushed_out += 1
        rank = len(after.rows) + pushed_out if present is None else present.rank
        found.append(Overtaken(row.user_id, passers[-1].user_id, rank))
    return found
