"""What every pod must hear, also without Redis: an append-only table that pods poll."""

from dataclasses import dataclass
from enum import StrEnum

from models.database import Database

OVERLAP_SECONDS = 10
"""Ids are given before commit, so who reads news looks back this far; longer than any statement may run."""


class Topic(StrEnum):
    """What a notice is about."""

    CATALOGUE = "catalogue"
    BOARDS = "boards"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something changed: the topic, and which player or board it is about."""

    notice_id: int
    topic: Topic
    subject: str


async def tell(database: Database, topic: Topic, subject: str) -> None:
    """Appends a notice."""
    await database.rows("INSERT INTO control (topic, subject) VALUES ($1, $2)", topic.value, subject)
