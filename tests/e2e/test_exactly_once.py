"""Every ticket counts once, whoever redeems it, wherever, however often."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from tests.e2e.invariants import assert_whole, entries_of
from tests.e2e.players import Told, send_all
from tests.e2e.viewer import watching
from tests.laurel_process import LaurelProcess

TICKETS = 3_000
PLAYERS = 200


@pytest.fixture(scope="module")
def fresh() -> Iterator[LaurelProcess]:
    """Three pods with an empty database."""
    with LaurelProcess() as process:
        yield process.start(pods=3)


@pytest.mark.timeout(240)
async def test_each_ticket_sent_to_every_pod_at_once_counts_once(fresh: LaurelProcess) -> None:
    pairs = fresh.mint_tickets(TICKETS, PLAYERS)
    work = [(url, token, ticket) for token, ticket in pairs for url in fresh.urls]
    # The three of one ticket stay near one another, in random order, so that they race.
    groups = [work[i : i + 30] for i in range(0, len(work), 30)]
    for group in groups:
        random.shuffle(group)
    told = Told()
    async with watching(fresh.urls[0]) as first, watching(fresh.urls[2]) as last:
        await send_all((item for group in groups for item in group), told, connections=48)
        assert not told.others, f"refused: {dict(told.others)}"
        acknowledged = told.acknowledged()
        assert len(acknowledged) == TICKETS
        assert all(len(answers) == 3 for answers in told.answers.values())
        assert all(sum(not a["replayed"] for a in answers) == 1 for answers in told.answers.values())
        await assert_whole(fresh, acknowledged, [first, last])
    assert len(await entries_of(fresh.config()["databaseUrl"])) == TICKETS
    assert f"{TICKETS} entries" in await asyncio.to_thread(fresh.run, "audit", "verify")
