"""Which history PostgreSQL writes, and how far it is."""

from dataclasses import dataclass
from typing import Self

from models.database import Database, sql

LINEAGE = sql("lineage")


@dataclass(frozen=True, slots=True)
class Lineage:
    """A line of history, and a position in it that only grows."""

    line: str
    position: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` wrote."""
        line, _, position = text.partition(" ")
        return cls(line, int(position))

    def __str__(self) -> str:
        return f"{self.line} {self.position}"

    def continues(self, former: Self) -> bool:
        """Whether everything that was written up to a former look is still there."""
        return self.line == former.line and self.position >= former.position


async def read(database: Database) -> Lineage:
    """The present one; raises ModelError, also where the server only reads."""
    (row,) = await database.rows(LINEAGE)
    return Lineage(row["line"], row["position"])
