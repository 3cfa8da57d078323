"""The load tests' own client: folds what is pushed, repeats what is safe."""

from contextlib import aclosing
from typing import Any
from uuid import uuid4

import pytest

from loadtests.client import Client, Diverged, Player, Refused, Row, Top, Unreachable, fold, hash_of
from server.embedded.ports import any_free
from tests.laurel_process import LaurelProcess

PASSWORD = "correct horse battery"
ROWS = (Row("a", 30, 1), Row("b", 20, 2), Row("c", 10, 3))
TOP = Top("all", "e", 7, ROWS)
AFTER = (Row("c", 35, 1), Row("a", 30, 2), Row("d", 25, 3))


def update(**changed: Any) -> dict[str, Any]:
    """A frame that leads from TOP to AFTER, or nearly."""
    rows = [{"userId": row.user_id, "username": "", "score": row.score, "rank": row.rank} for row in AFTER]
    frame = {"type": "leaderboard.update", "period": "all", "epoch": "e", "version": 9, "previous": 7}
    return frame | {"data": {"updatedPositions": rows, "removed": ["b"]}, "hash": hash_of(AFTER)} | changed


def named(client: Client) -> Player:
    return Player(client, f"p-{uuid4().hex[:12]}", PASSWORD)


def test_update_folds_onto_the_top_it_names():
    folded = fold(TOP, update())
    assert folded == Top("all", "e", 9, AFTER)
    assert folded.rank_of("c") == 1
    assert folded.rank_of("b") is None


@pytest.mark.parametrize("changed", [{"previous": 6}, {"epoch": "f"}, {"hash": "0" * 16}])
def test_update_that_does_not_fit_is_noticed(changed: dict[str, Any]):
    with pytest.raises(Diverged):
        fold(TOP, update(**changed))


def test_other_frames_leave_the_top_alone():
    assert fold(TOP, {"type": "pong"}) is TOP


async def test_ticket_counts_once_and_says_so(laurel: LaurelProcess):
    async with Client(laurel.urls) as client:
        player = named(client)
        await player.enter()
        ticket = await player.start("sprint")
        first, again = await player.redeem(ticket.ticket), await player.redeem(ticket.ticket)
        assert (first.change, first.new_score, first.replayed) == (10, 10, False)
        assert (again.ticket_id, again.new_score, again.replayed) == (first.ticket_id, 10, True)
        same = Player(client, player.username, PASSWORD)
        await same.enter()
        assert same.user_id == player.user_id


async def test_tokens_are_renewed_and_a_session_is_left(laurel: LaurelProcess):
    async with Client(laurel.urls) as client:
        player = named(client)
        await player.enter()
        first = dict(player._headers)
        player._ends_at = 0.0
        await player.start("sprint")
        second = dict(player._headers)
        assert second != first
        player._headers = {"Authorization": "Bearer x"}
        await player.start("sprint")
        player._refresh_token = "spent"
        player._headers = {"Authorization": "Bearer x"}
        await player.start("sprint")
        left = dict(player._headers)
        await player.logout()
        with pytest.raises(Refused, match="token_invalid"):
            await client.ask("POST", "/api/v1/auth/logout", headers=left)
        await client.ask("GET", "/api/v1/me", headers=second)
        await player.start("sprint")


async def test_a_proof_is_worked_for_when_it_is_asked_for(laurel: LaurelProcess):
    async with Client(laurel.urls) as client:
        player = named(client)
        await player.enter()
        assert (await player.start("vault")).action_id == "vault"
        with pytest.raises(Refused, match="action_unknown"):
            await player.start("no-such-action")


async def test_refusal_carries_code_and_wait(laurel: LaurelProcess):
    async with Client(laurel.urls) as client:
        player = named(client)
        await player.enter()
        ticket = await player.start("forage")
        assert ticket.least_seconds == 3
        with pytest.raises(Refused) as refused:
            await player.redeem(ticket.ticket)
        assert refused.value.code == "ticket_too_early"
        assert 0 < refused.value.wait_seconds <= 3
        with pytest.raises(Refused, match="login_failed"):
            await Player(client, player.username, "another password").login()


async def test_pod_that_is_away_is_passed_over(laurel: LaurelProcess):
    nobody = f"http://127.0.0.1:{any_free()}"
    async with Client([nobody, laurel.urls[0]]) as client:
        client._next = 0
        for _ in range(4):
            assert {action.action_id for action in await client.actions()} > {"sprint", "forage"}
        assert client.tried_again == {"tried again: 0": 1}
    async with Client([nobody]) as client:
        with pytest.raises(Unreachable):
            await client.ask("GET", "/api/v1/actions", within=0)


async def test_live_top_follows_what_a_player_does(laurel_factory: Any):
    laurel = laurel_factory().start(pods=2)
    async with Client(laurel.urls) as client, aclosing(client.live()) as tops:
        player = named(client)
        await player.enter()
        await anext(tops)
        await player.redeem((await player.start("sprint")).ticket)
        async for top in tops:
            if top.rank_of(player.user_id) == 1:
                break
        for index in range(2):  # whichever pod it watches, the next top comes from the other or from a new one
            laurel.kill_pod(index)
            result = (
                await player.act("cheer") if index == 0 else await player.redeem((await player.start("sprint")).ticket)
            )
            async for top in tops:
                if top.rows[0].score == result.new_score:
                    break
