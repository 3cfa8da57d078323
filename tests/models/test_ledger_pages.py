"""Pages of the ledger, whoever asks for what: the same as all of it sorted."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from models import ledger_pages
from models.database import Database
from models.entry import Kind
from models.ids import UserId, uuid7
from models.ledger_pages import LONGEST_STRETCH_MS, Recorded, Wanted, stretches
from models.migrate import migrate

NOW = int(datetime.now(UTC).timestamp() * 1000)
DAY_MS = 86_400_000
USERS = [UserId(str(uuid4())) for _ in range(3)]
BEFORE = [0, 0, 0, 1, 1, 5_000, 9_999, 10_000, 10_001, 79_000, 700_000, DAY_MS, 9 * DAY_MS, 41 * DAY_MS, 400 * DAY_MS]
"""How long ago entries were, in milliseconds: some at once, some across stretches and partitions."""
FILL = """
    INSERT INTO ledger SELECT entry_id, kind, user_id, user_version, action_id, NULL, 1, 1, at, at, NULL, NULL, '{}',
        NULL, '{}', '', 1, 'a'
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::timestamptz[])
        AS e (entry_id, kind, user_id, user_version, action_id, at)
"""


@pytest.fixture(scope="module")
def filled(database_url: str) -> Iterator[str]:
    async def fill() -> None:
        await migrate(database_url)
        database = Database(database_url)
        await database.open()
        rows = []
        for number, before in enumerate(sorted(BEFORE, reverse=True)):
            at = NOW - before
            kind = list(Kind)[number % 5] if number % 2 else Kind.REDEEM
            action = ("run", "swim", None)[number % 3]
            moment = datetime.fromtimestamp(at / 1000, UTC)
            rows.append((uuid7(at - number * 7), kind.value, USERS[number % 3], number // 3 + 1, action, moment))
        await database.rows(FILL, *zip(*rows, strict=True))
        await database.close()

    asyncio.run(fill())
    yield database_url


async def followed(database: Database, wanted: Wanted, limit: int) -> list[Recorded]:
    """All pages; none longer than the limit."""
    found: list[Recorded] = []
    after = None
    while True:
        page = await ledger_pages.page(database, wanted, NOW, limit, after)
        assert len(page.entries) <= limit
        found += page.entries
        assert len(found) <= len(BEFORE), "a page repeats what another had"
        after = page.following
        if after is None:
            return found


WANTED: list[dict[str, Any]] = [
    {},
    {"user_id": USERS[0]},
    {"user_id": USERS[1], "kind": Kind.REDEEM},
    {"action_id": "run"},
    {"action_id": "none"},
    {"kind": Kind.REDEEM},
    {"kind": Kind.ADJUST},
    {"kind": Kind.BAN, "action_id": "run"},
    {"kind": Kind.VOID, "from_ms": NOW - DAY_MS},
    {"from_ms": NOW - 10_000},
    {"to_ms": NOW - 10_000},
    {"from_ms": NOW - 10_000, "to_ms": NOW},
    {"from_ms": NOW - 50 * DAY_MS, "to_ms": NOW - DAY_MS},
    {"user_id": USERS[2], "from_ms": NOW - 9 * DAY_MS, "to_ms": NOW},
    {"from_ms": NOW, "to_ms": NOW},
]


@pytest.mark.parametrize("hurried", [False, True])
@pytest.mark.parametrize("wanted", [Wanted(**facts) for facts in WANTED], ids=[", ".join(facts) for facts in WANTED])
async def test_pages_are_all_of_it_newest_first(
    filled: str, wanted: Wanted, hurried: bool, monkeypatch: pytest.MonkeyPatch
):
    """In a hurry pages may be short, or empty, but following them misses nothing."""
    monkeypatch.setattr("models.ledger_pages.SEARCH_SECONDS", -1.0 if hurried else 60.0)
    database = Database(filled)
    await database.open()
    whole = [found.entry for user in USERS for found in await followed(database, Wanted(user_id=user), 100)]
    assert len(whole) == len(BEFORE)
    expected = sorted(
        (
            entry
            for entry in whole
            if wanted.user_id in (None, entry.user_id)
            and wanted.action_id in (None, entry.action_id)
            and wanted.kind in (None, entry.kind)
            and (wanted.from_ms is None or entry.at >= wanted.from_ms)
            and (wanted.to_ms is None or entry.at < wanted.to_ms)
        ),
        key=lambda entry: (entry.at, entry.entry_id),
        reverse=True,
    )
    for limit in (1, 2, 100):
        assert [found.entry for found in await followed(database, wanted, limit)] == expected
    await database.close()


def test_stretches_cover_everything_once_from_the_newest_back():
    found = list(stretches(NOW - 500 * DAY_MS, NOW))
    assert (found[0][1], found[-1][0]) == (NOW, NOW - 500 * DAY_MS)
    assert all(newer[0] == older[1] for newer, older in pairwise(found))
    assert all(0 < end - start <= LONGEST_STRETCH_MS for start, end in found)
    assert list(stretches(NOW, NOW)) == []


async def test_rare_kinds_have_an_index_in_every_partition(filled: str):
    database = Database(filled)
    await database.open()
    (row,) = await database.rows(
        """SELECT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'ledger_deeds'::regclass) AS valid,
                  (SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger'::regclass) AS partitions,
                  (SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger_deeds'::regclass) AS parts"""
    )
    assert row["valid"] is True
    assert row["partitions"] == row["parts"] > 10
    await database.close()
