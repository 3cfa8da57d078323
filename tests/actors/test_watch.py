"""What a look at Redis takes for a board, and what it has rebuilt."""

from collections.abc import AsyncIterator

import pytest

from actors.keys import keys_of
from actors.messages import RedeemTicket
from models import boards, catalogue
from models.board import GLOBAL, Place, Window
from models.database import Database
from tests.pods import Pod, awaited, migrated, new_players, simple_catalogue


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url, simple_catalogue({"run": 10}))
    yield database
    await database.close()


@pytest.fixture
async def pods(database: Database, redis_url: str) -> AsyncIterator[list[Pod]]:
    pods = [Pod(database, redis_url, await boards.load(database), await catalogue.load(database)) for _ in "ab"]
    await pods[0].ordering.redis.flushdb()
    (user,) = await new_players(database, 1)
    for pod in pods:
        await pod.start()
    await pods[0].tell(user, RedeemTicket(pods[0].ticket(user, "run")))
    await pods[0].settler.flush()
    await awaited(lambda: pods[0].mirror.pending == 0)
    yield pods
    for pod in pods:
        await pod.stop()


def place_of(pod: Pod) -> Place:
    return next(place for board, place in pod.present() if board.board_id == GLOBAL)


def epoch_of(pod: Pod, place: Place) -> str | None:
    epoch = pod.epochs.get(place)
    return None if epoch is None else epoch.name


async def test_another_pods_new_epoch_is_adopted(pods: list[Pod]):
    one, other = pods
    place = place_of(one)
    new = await one.rebuilder.rebuild(place, epoch_of(one, place))
    assert epoch_of(other, place) not in (None, new)
    await other.watch.look()
    assert epoch_of(other, place) == new


async def test_a_board_behind_what_was_seen_is_rebuilt(pods: list[Pod]):
    one, other = pods
    place = place_of(one)
    former, rows = epoch_of(one, place), await one.rows_in_redis(place)
    assert former is not None
    one.epochs.adopt(place, former, 999)
    await other.watch.look()
    assert epoch_of(other, place) == former
    await one.look()
    await other.watch.look()
    assert epoch_of(other, place) == epoch_of(one, place) != former
    assert await one.rows_in_redis(place) == rows != []


@pytest.mark.parametrize("lost", ["pointer", "meta"])
async def test_a_board_without_pointer_or_meta_is_rebuilt(pods: list[Pod], lost: str):
    place = place_of(pods[0])
    former, rows = epoch_of(pods[0], place), await pods[0].rows_in_redis(place)
    assert former is not None
    await pods[0].ordering.redis.delete(getattr(keys_of(place, former), lost))
    await pods[0].look()
    assert epoch_of(pods[0], place) != former
    assert await pods[0].rows_in_redis(place) == rows != []


async def test_a_period_that_is_over_is_adopted_when_something_late_wants_it(pods: list[Pod]):
    pod = pods[0]
    board = next(board for board in pod.epochs.boards if board.window is Window.DAY)
    past = (board.key, "2026-01-01")
    shown: list[Place] = []

    async def show(place: Place, *_: object) -> None:
        shown.append(place)

    pod.watch.on_epoch = show
    pod.epochs.forget(place_of(pod))
    for _ in range(2):  # it is rebuilt at the first look, and found at the next
        pod.epochs.doubt(past)
        await pod.watch.look()
    assert epoch_of(pod, past) is not None
    assert shown == [place_of(pod)]  # the board shows its present period all the while
    await pod.watch.look()
    assert epoch_of(pod, past) is None


async def test_a_redis_that_forgot_its_scripts_is_looked_at_all_the_same(pods: list[Pod]):
    place = place_of(pods[0])
    former = epoch_of(pods[0], place)
    await pods[0].ordering.redis.script_flush()
    await pods[0].watch.look()
    assert epoch_of(pods[0], place) == former


async def test_without_boards_a_look_only_finds_that_redis_is_there(pods: list[Pod]):
    pod = pods[0]
    pod.epochs.define(())
    pod.ordering.there.clear()
    await pod.watch.look()
    assert not pod.ordering.away
    assert not pod.epochs.known()
