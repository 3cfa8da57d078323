"""What actions and boards there are, as this pod last heard."""

import asyncio
from collections.abc import Callable, Sequence

from models import boards, catalogue
from models.board import Board
from models.catalogue import Catalogue
from models.control import Notice
from models.database import Database
from server.views import Views


class Definitions:
    """The catalogue, and the boards behind the views; `on_boards` is told when any of these is another.

    Reads come one after the other: of two at once the one that saw less might end last, and stay.
    """

    def __init__(self, database: Database, views: Views, regions: Sequence[str], on_boards: Callable[[], None]) -> None:
        self._database = database
        self._views = views
        self._regions = regions
        self._on_boards = on_boards
        self._turn = asyncio.Lock()
        self.catalogue = Catalogue({}, {})
        self.loaded = False

    async def refresh(self) -> None:
        """Reads everything anew; raises DatabaseUnavailable."""
        async with self._turn:
            self.catalogue = await catalogue.load(self._database)
            defined = await boards.load(self._database)
            if await boards.ensure_regions(self._database, self._regions, defined):
                defined = await boards.load(self._database)
            self._define(defined)
            self.loaded = True

    async def hear_catalogue(self, notice: Notice) -> None:
        """Reads the actions anew."""
        del notice
        async with self._turn:
            self.catalogue = await catalogue.load(self._database)

    async def hear_boards(self, notice: Notice) -> None:
        """Reads the boards anew."""
        del notice
        async with self._turn:
            self._define(await boards.load(self._database))

    def _define(self, defined: Sequence[Board]) -> None:
        if self._views.define(defined):
            self._on_boards()
