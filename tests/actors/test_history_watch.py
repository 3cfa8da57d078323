"""A PostgreSQL with another history: pods let go of what they know, and boards are built anew."""

from collections.abc import AsyncIterator

import pytest

from actors import history_watch
from actors.history_watch import HistoryWatch
from actors.keys import LINEAGE_KEY
from actors.messages import RedeemTicket
from models import boards, catalogue, lineage, standings
from models.board import Place
from models.database import Database
from models.ids import UserId
from models.lineage import Lineage
from models.state import Standing
from tests.pods import Pod, awaited, migrated, new_players, simple_catalogue

TABLES = ("players", "ledger", "standings", "player_memos", "leases", "marks")


@pytest.fixture
async def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(history_watch, "OTHERS_SECONDS", 0)
    database = await migrated(database_url, simple_catalogue({"run": 10}))
    for table in TABLES:
        await database.rows(f"TRUNCATE {table} CASCADE")
    yield database
    await database.close()


@pytest.fixture
async def pods(database: Database, redis_url: str) -> AsyncIterator[list[Pod]]:
    pods = [Pod(database, redis_url, await boards.load(database), await catalogue.load(database)) for _ in "ab"]
    await pods[0].ordering.redis.flushdb()
    yield [await pod.start() for pod in pods]
    for pod in pods:
        await pod.stop()


@pytest.fixture
def watches(pods: list[Pod]) -> list[HistoryWatch]:
    return [
        HistoryWatch(pod.database, pod.ordering, pod.loader, pod.mirror, pod.settler, pod.users, name)
        for pod, name in zip(pods, "ab", strict=True)
    ]


async def redeem(pod: Pod, user: UserId) -> int:
    return (await pod.tell(user, RedeemTicket(pod.ticket(user, "run")))).entry.score_after


async def settled(pod: Pod) -> None:
    await pod.settler.flush()
    await awaited(lambda: pod.mirror.pending == 0)


async def kept(database: Database) -> None:
    """What a restore goes back to."""
    for table in TABLES:
        await database.rows(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")


async def restored(database: Database) -> None:
    """As if the server had been recovered to that moment, by somebody who told nobody."""
    for table in TABLES:
        await database.rows(f"TRUNCATE {table} CASCADE")
    for table in TABLES:
        await database.rows(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        await database.rows(f"DROP TABLE kept_{table}")


def other_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another timeline, which only a recovery can make."""
    statement = lineage.LINEAGE.replace("left(pg_walfile_name", "'2' || left(pg_walfile_name")
    assert statement != lineage.LINEAGE
    monkeypatch.setattr(lineage, "LINEAGE", statement)


async def standing_of(database: Database, place: Place, user: UserId) -> list[tuple[int, int]]:
    """Score and version, if there is a row."""
    rows = await database.rows(
        "SELECT score, version FROM standings WHERE board_key = $1 AND user_id = $2", place[0], user
    )
    return [(row["score"], row["version"]) for row in rows]


def global_place(pod: Pod) -> Place:
    return next(place for board, place in pod.present() if board.board_id == "global")


@pytest.mark.parametrize(
    ("former", "present", "continues"),
    [
        ("a/1/7 100", "a/1/7 100", True),
        ("a/1/7 100", "a/1/7 101", True),
        ("a/1/7 100", "a/1/7 99", False),
        ("a/1/7 100", "a/2/7 200", False),
        ("a/1/7 100", "b/1/7 200", False),
        ("a/1/7 100", "a/1/8 200", False),
    ],
)
def test_a_history_continues_on_its_line_only(former: str, present: str, continues: bool):
    assert Lineage.parse(present).continues(Lineage.parse(former)) is continues
    assert str(Lineage.parse(former)) == former


async def test_what_a_crash_may_lose_is_no_part_of_the_history(database: Database):
    (before,) = await database.rows("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint AS inserted")
    # Written to the log, and not yet to the disk: 2 MiB take longer than the look.
    await database.rows("SELECT pg_logical_emit_message(false, 'laurel', repeat('x', 2097152))")
    present = await lineage.read(database)
    (row,) = await database.rows("SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint AS flushed")
    assert present.position <= row["flushed"]
    await new_players(database, 1)  # a commit, which flushes what is before it
    assert (await lineage.read(database)).position > before["inserted"]


async def test_a_database_that_goes_on_is_left_alone(pods: list[Pod], watches: list[HistoryWatch]):
    (user,) = await new_players(pods[0].database, 1)
    epoch = pods[0].epochs.get(global_place(pods[0])).name
    for _ in range(3):
        await redeem(pods[0], user)
        for watch in watches:
            await watch.look()
    assert [watch.breaks for watch in watches] == [0, 0]
    assert pods[0].state_of(user) is not None
    await pods[0].look()
    assert pods[0].epochs.get(global_place(pods[0])).name == epoch


async def test_lost_commits_are_gone_everywhere(
    pods: list[Pod], watches: list[HistoryWatch], monkeypatch: pytest.MonkeyPatch
):
    database, place = pods[0].database, global_place(pods[0])
    lost, quiet = await new_players(database, 2)
    assert await redeem(pods[0], lost) == await redeem(pods[1], quiet) == 10
    for pod, watch in zip(pods, watches, strict=True):
        await settled(pod)
        await watch.look()
    await kept(database)
    assert [await redeem(pods[0], lost), await redeem(pods[0], lost)] == [20, 30]
    await settled(pods[0])
    epoch = pods[0].epochs.get(place).name
    await redeem(pods[1], lost)
    await restored(database)
    await pods[1].settler.flush()  # a pod that was quicker than its look
    other_history(monkeypatch)
    for watch in watches:
        await watch.look()
    assert [watch.breaks for watch in watches] == [1, 1]
    for pod in pods:
        await pod.look()
        assert pod.state_of(lost) is None
    assert pods[0].epochs.get(place).name != epoch
    assert {row.user_id: row.score for row in await pods[0].rows_in_redis(place)} == {lost: 10, quiet: 10}
    assert await standing_of(database, place, lost) == [(10, 1)]
    assert await redeem(pods[1], lost) == 20
    for watch in watches:
        await watch.look()
    assert [watch.breaks for watch in watches] == [1, 1]


async def test_a_redis_found_during_the_look_is_compared_at_the_next(
    pods: list[Pod], watches: list[HistoryWatch], monkeypatch: pytest.MonkeyPatch
):
    """As when all pods start after a recovery: nobody has a former look, and Redis is there any moment."""
    pod, watch, real = pods[0], watches[0], lineage.read
    former = "another/1/7 1"
    await pod.ordering.redis.set(LINEAGE_KEY, former)
    pod.ordering.there.clear()

    async def read(database: Database) -> Lineage:
        pod.ordering.found()
        return await real(database)

    monkeypatch.setattr(lineage, "read", read)
    await watch.look()
    assert await pod.ordering.redis.get(LINEAGE_KEY) == former
    epoch = pod.epochs.get(global_place(pod))
    await watch.look()
    assert await pod.ordering.redis.get(LINEAGE_KEY) not in (former, None)
    await pod.look()
    assert pod.epochs.get(global_place(pod)) != epoch


async def test_who_is_busy_over_it_vouches_for_all_they_have(pods: list[Pod], watches: list[HistoryWatch]):
    pod = pods[0]
    (user,) = await new_players(pod.database, 1)
    await redeem(pod, user)
    await settled(pod)
    state = pod.state_of(user)
    assert state is not None
    assert not state.touched
    still = ("best/1", "all")  # a board on which the next change moves nothing
    state.standings[still] = Standing(10, 1)
    reply = pod.users.tell(user, RedeemTicket(pod.ticket(user, "run")))
    assert not pod.users.forget(user)  # it is under way
    await reply
    assert still in pod.state_of(user).touched


async def test_a_pod_that_dies_over_it_leaves_the_rest_to_the_next(
    pods: list[Pod], watches: list[HistoryWatch], monkeypatch: pytest.MonkeyPatch
):
    database, place = pods[0].database, global_place(pods[0])
    (lost,) = await new_players(database, 1)
    await redeem(pods[0], lost)
    await settled(pods[0])
    await watches[0].look()
    await kept(database)
    await redeem(pods[0], lost)
    await restored(database)
    await pods[0].settler.flush()
    other_history(monkeypatch)
    assert await standing_of(database, place, lost) == [(20, 2)]
    await standings.forget_ahead(database)  # as far as a pod came
    assert await standing_of(database, place, lost) == []
    await watches[1].look()
    assert await standing_of(database, place, lost) == [(10, 1)]


async def test_pods_that_were_stopped_meanwhile_find_it_in_redis(
    pods: list[Pod], watches: list[HistoryWatch], monkeypatch: pytest.MonkeyPatch
):
    (user,) = await new_players(pods[0].database, 1)
    await redeem(pods[0], user)
    await watches[0].look()
    await pods[0].look()
    epoch = pods[0].epochs.get(global_place(pods[0])).name
    other_history(monkeypatch)
    await watches[1].look()  # its first
    assert watches[1].breaks == 0
    await pods[0].look()
    assert pods[0].epochs.get(global_place(pods[0])).name != epoch
    assert "/2" in await pods[0].ordering.redis.get(LINEAGE_KEY)


async def test_redis_away_leaves_memory_to_be_forgotten(
    pods: list[Pod], watches: list[HistoryWatch], monkeypatch: pytest.MonkeyPatch
):
    (user,) = await new_players(pods[0].database, 1)
    await redeem(pods[0], user)
    await watches[0].look()
    pods[0].ordering.lost(ConnectionError("away"))
    other_history(monkeypatch)
    await watches[0].look()
    assert (watches[0].breaks, pods[0].state_of(user)) == (1, None)
    pods[0].ordering.found()
    epoch = pods[0].epochs.get(global_place(pods[0])).name
    await watches[0].look()
    await pods[0].look()
    assert pods[0].epochs.get(global_place(pods[0])).name != epoch
