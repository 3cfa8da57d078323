"""What every pod must know, whoever brought it about: asked for in one statement, for it is asked twice a second."""

from dataclasses import dataclass, field

from models.control import OVERLAP_SECONDS, Notice, Topic
from models.database import Database, sql
from models.ids import UserId
from models.sessions import Revocation, RevokedKind

NEWS = sql("news")
TOPICS, KINDS = frozenset(Topic), frozenset(RevokedKind)


@dataclass(slots=True)
class News:
    """Notices, oldest first; revocations; and players banned now, with their bans' ends in Unix milliseconds."""

    notices: list[Notice] = field(default_factory=list)
    revocations: list[Revocation] = field(default_factory=list)
    banned: dict[UserId, int] = field(default_factory=dict)


async def read(database: Database, *, everything: bool) -> News:
    """The news of the last seconds, or revocations of all times that still count; raises DatabaseUnavailable.

    Ids are given before commit, so it looks back further than any statement may run; a reader remembers what it has
    seen. What only a later version of Laurel knows is passed over.
    """
    news = News()
    for row in await database.rows(NEWS, OVERLAP_SECONDS, everything):
        match row["what"]:
            case "notice" if row["topic"] in TOPICS:
                news.notices.append(Notice(row["id"], Topic(row["topic"]), row["subject"]))
            case "revocation" if row["topic"] in KINDS:
                news.revocations.append(Revocation(RevokedKind(row["topic"]), row["subject"], row["until"]))
            case "ban":
                news.banned[UserId(row["subject"])] = round(row["until"] * 1000)
    news.notices.sort(key=lambda notice: notice.notice_id)
    return news
