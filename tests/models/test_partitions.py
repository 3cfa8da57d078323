"""Summaries of the ledger's blocks, which searches by time, action and kind go by."""

from datetime import UTC, datetime
from uuid import uuid4

from models import ledger_pages, partitions
from models.ids import UserId, uuid7
from models.ledger_pages import Wanted
from tests.models.test_ledger_pages import FILL, NOW
from tests.pods import migrated


async def test_what_has_come_to_the_ledger_is_summarized_but_for_what_grows(database_url: str) -> None:
    database = await migrated(database_url)
    blocks = "SELECT pg_relation_size(inhrelid) / 8192 AS n FROM pg_inherits WHERE inhparent = 'ledger'::regclass"
    user = UserId(str(uuid4()))
    count = 4_000
    times = [datetime.fromtimestamp((NOW + number) / 1000, UTC) for number in range(count)]
    entries = [uuid7(NOW + number) for number in range(count)]
    columns = [entries, ["redeem"] * count, [user] * count, list(range(1, count + 1)), ["swim"] * count, times]
    await database.rows(FILL, *columns)
    full = max(row["n"] for row in await database.rows(blocks)) // 16 - 1
    assert full > 1
    made = await partitions.summarize(database, 1_000)
    assert full < made <= 2 * full  # two indexes, by time and by words; autovacuum may have done some
    assert await partitions.summarize(database, 1_000) == 0
    page = await ledger_pages.page(database, Wanted(action_id="fly"), NOW + count, 10, None)
    assert not page.entries
    await database.close()
