"""Boards beside `global`."""

from collections.abc import Iterable
from itertools import cycle, islice, product

from loadtests.bench.stage import Stage
from models.board import Fold, Window

INSERT = """
    INSERT INTO boards (board_id, revision, title, fold, "window", position)
    SELECT id, 1, id, fold, span, position FROM unnest($1::text[], $2::text[], $3::text[], $4::int[])
        AS b (id, fold, span, position)
"""


def define(stage: Stage, database: str, count: int, folds: Iterable[Fold] = Fold) -> list[str]:
    """So many boards in all, `global` among them, of these folds and every window; the keys they are known by."""
    stage.script(database, "DELETE FROM boards WHERE board_id <> 'global'")
    kinds = product((Window.ALL, Window.DAY, Window.WEEK, Window.MONTH), folds)
    chosen = list(islice(cycle(kinds), 1, count))
    ids = [f"bench-{number}" for number in range(1, count)]
    stage.rows(
        database,
        INSERT,
        ids,
        [fold.value for _, fold in chosen],
        [window.value for window, _ in chosen],
        list(range(1, count)),
    )
    return ["global/1", *(f"{name}/1" for name in ids)]
