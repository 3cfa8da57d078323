"""The boards there are, read from the database."""

from datetime import datetime

from models.board import Board, Fold, Window
from models.database import Database
from models.errors import typed
from models.ids import BoardId
from models.tables import BoardRow


async def load(database: Database) -> list[Board]:
    """Every board in its order; raises DatabaseUnavailable."""
    try:
        rows = await BoardRow.all().using_db(database.orm).order_by("position", "board_id")
    except Exception as error:
        raise typed(error) from error
    return [
        Board(
            board_id=BoardId(row.board_id),
            revision=row.revision,
            title=row.title,
            fold=Fold(row.fold),
            window=Window(row.window),
            time_zone=row.time_zone,
            starts_ms=_ms(row.starts_at),
            ends_ms=_ms(row.ends_at),
            season=row.season,
            actions=frozenset(row.actions) if row.actions is not None else None,
            region=row.region,
            group=row.group,
            top_size=row.top_size,
        )
        for row in rows
    ]


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
