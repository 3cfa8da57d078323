"""User actors leave memory when idle, and one that raises starts anew: either way nothing is lost or counts twice."""

import logging
from typing import Any

import pytest

from actors import user as user_module
from actors.errors import Busy, EntryUnknown
from actors.messages import RecallTicket, RedeemTicket
from models.database import Database
from models.ids import UserId
from tests.actors.scene import gated
from tests.pods import Pod, awaited, history_of, new_players

POINTS = 10
IDLE_SECONDS = 300
"""After which `Pod` has actors evicted."""
WRONG = 999
"""A score that nobody has."""


async def redeem(pod: Pod, user: UserId) -> tuple[int, int]:
    """Score and version after it."""
    entry = (await pod.tell(user, RedeemTicket(pod.ticket(user, "run")))).entry
    return entry.score_after, entry.user_version


async def test_the_idle_are_evicted_and_read_again_and_nobody_else(
    pod: Pod, database: Database, monkeypatch: pytest.MonkeyPatch
):
    idle, busy, recent = await new_players(database, 3)
    clock = pod.users.monotonic
    for user in (idle, recent):
        await redeem(pod, user)
    gate = gated(pod, before=True)
    under_way = pod.users.tell(busy, RedeemTicket(pod.ticket(busy, "run")))
    await gate.arrived.wait()
    monkeypatch.setattr(pod.users, "monotonic", lambda: clock() + IDLE_SECONDS - 10)
    with pytest.raises(EntryUnknown):
        await pod.tell(recent, RecallTicket(pod.ticket(recent, "run").ticket_id))
    monkeypatch.setattr(pod.users, "monotonic", lambda: clock() + IDLE_SECONDS)
    pod.supervisor.keep("users", pod.users.sweep)
    await awaited(lambda: idle not in pod.users.known())
    assert set(pod.users.known()) == {busy, recent}
    with pytest.raises(Busy):  # told in time what was not done in time
        await under_way
    gate.before.set()
    await awaited(lambda: not pod.users.active)
    for user in (idle, busy, recent):
        assert await redeem(pod, user) == (2 * POINTS, 2)
    assert pod.users.conflicts == 0


@pytest.mark.parametrize("step", ["deciding", "showing"])
async def test_an_actor_that_raises_answers_and_starts_anew(
    pod: Pod,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: str,
):
    (user,) = await new_players(database, 1)
    await redeem(pod, user)
    decide, show = user_module.decide, pod.users.show

    def raises_once(*given: Any) -> Any:
        """As a fault in our own code might: with the state half changed."""
        monkeypatch.setattr(user_module, "decide", decide)
        monkeypatch.setattr(pod.users, "show", show)
        state = pod.state_of(user)
        assert state is not None
        state.score = WRONG
        raise ZeroDivisionError("on purpose")

    if step == "deciding":
        monkeypatch.setattr(user_module, "decide", raises_once)
    else:
        monkeypatch.setattr(pod.users, "show", raises_once)
    first, second = pod.ticket(user, "run"), pod.ticket(user, "run")
    replies = [pod.users.tell(user, RedeemTicket(ticket)) for ticket in (first, second)]
    with pytest.raises(Busy):
        await replies[0]
    assert pod.users.crashes == 1
    (record,) = [one for one in caplog.records if one.name == "laurel.user"]
    assert (record.levelno, record.user, record.exc_info[0]) == (logging.ERROR, user, ZeroDivisionError)
    committed = step == "showing"
    assert (await replies[1]).entry.score_after == (3 if committed else 2) * POINTS
    again = await pod.tell(user, RedeemTicket(first))
    assert again.replayed == committed
    assert [entry.score_after for entry in await history_of(database, user)] == [POINTS, 2 * POINTS, 3 * POINTS]
    assert not pod.users.active
