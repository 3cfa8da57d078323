"""What the auditor finds and mends, each divergence planted; what is right is never called wrong."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from actors.auditor import GRACE_MS, Auditor
from actors.keys import keys_of
from actors.messages import AdjustScore, BanPlayer, RedeemTicket, UnbanPlayer, VoidEntry
from models import ledger
from models.board import Place
from models.database import Database
from models.entry import FOREVER_MS
from models.ids import UserId
from models.proposal import IdempotencyKey
from tests.pods import Pod, awaited, migrated, new_players, simple_catalogue


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url, simple_catalogue({"run": 10, "jump": 3}))
    for table in ("players", "ledger", "idempotency_keys", "standings", "player_memos", "leases", "marks"):
        await database.rows(f"TRUNCATE {table} CASCADE")
    yield database
    await database.close()


@pytest.fixture
async def users(pod: Pod) -> list[UserId]:
    """Players with entries of every kind, old enough to be judged, all of it written down and sent."""
    users = sorted(await new_players(pod.database, 4))
    for number, user in enumerate(users, start=1):
        for action in ("run", "jump")[:number]:
            await redeem(pod, user, action)
    await pod.tell(users[0], BanPlayer(pod.new_id(), FOREVER_MS, "cheat", "admin"))
    await pod.tell(users[0], UnbanPlayer(pod.new_id(), "admin"))
    await pod.tell(users[1], BanPlayer(pod.new_id(), FOREVER_MS, "cheat", "admin"))
    await pod.tell(users[2], AdjustScore(pod.new_id(), -7, "fix", "admin", IdempotencyKey("adjust", "1", b"1")))
    target = (await redeem(pod, users[3], "run")).entry
    await pod.tell(users[3], VoidEntry(pod.new_id(), target, "wrong", "admin"))
    await settled(pod)
    return users


async def redeem(pod: Pod, user: UserId, action: str = "run"):
    return await pod.tell(user, RedeemTicket(pod.ticket(user, action)))


async def settled(pod: Pod) -> None:
    await pod.settler.flush()
    await awaited(lambda: pod.mirror.pending == 0)


def auditor_of(pod: Pod, name: str = "a") -> Auditor:
    return Auditor(pod.database, pod.ordering, pod.epochs, pod.clock, pod.mirror, pod.rebuilder, pod.users, name)


async def found_by(pod: Pod) -> Counter[str]:
    """What one pass finds, after the grace."""
    auditor = auditor_of(pod)
    pod.clock.offset_ms += GRACE_MS * 2
    await auditor.pass_once()
    pod.clock.offset_ms -= GRACE_MS * 2
    assert auditor.passes == 1
    return +auditor.diverged


def global_place(pod: Pod) -> Place:
    return next(place for board, place in pod.present() if board.board_id == "global")


async def test_what_is_right_is_never_called_wrong(pod: Pod, users: list[UserId]):
    auditor = auditor_of(pod)
    pod.clock.offset_ms += GRACE_MS * 2
    await auditor.pass_once()
    shown = len(list(pod.present()))
    assert not +auditor.diverged
    assert auditor.compared == {"memory": 4, "ledger": 4, "standings": 4, "redis": 4 * shown}


async def test_one_pod_at_a_time_looks_at_the_stores(pod: Pod, users: list[UserId]):
    pods = [auditor_of(pod, name) for name in "abc"]
    for auditor in pods:
        await auditor.pass_once()
    assert [auditor.passes for auditor in pods] == [1, 0, 0]
    assert all(auditor.compared["memory"] for auditor in pods)


@pytest.mark.parametrize(
    "plant",
    [
        "UPDATE standings SET score = score + 1 WHERE user_id = $1 AND board_key = 'global/1'",
        "UPDATE standings SET reached_at = reached_at + 1 WHERE user_id = $1",
        "UPDATE standings SET hidden = NOT hidden WHERE user_id = $1",
        "UPDATE standings SET present = NOT present WHERE user_id = $1",
        "DELETE FROM standings WHERE user_id = $1 AND board_key = 'weekly/1'",
        """UPDATE player_memos SET actions = '{"run": [1, 1, 1]}' WHERE user_id = $1""",
    ],
)
@pytest.mark.parametrize("which", [1, 3])
async def test_wrong_standings_are_folded_anew(pod: Pod, users: list[UserId], plant: str, which: int):
    written = """SELECT s.board_key, s.score, s.reached_at, s.present, s.hidden, m.actions::text
                 FROM standings s JOIN player_memos m USING (user_id) ORDER BY s.user_id, s.board_key"""
    before = await pod.database.rows(written)
    await pod.database.rows(plant, users[which])
    assert await pod.database.rows(written) != before
    assert await found_by(pod) == {"standings": 1}
    assert await pod.database.rows(written) == before
    assert await found_by(pod) == {}


async def test_a_score_that_redis_has_wrong_is_built_anew(pod: Pod, users: list[UserId]):
    place = global_place(pod)
    epoch = pod.epochs.get(place).name
    keys, right = keys_of(place, epoch), await pod.rows_in_redis(place)
    member = (await pod.ordering.redis.zrange(keys.rank, 0, 0))[0]
    await pod.ordering.redis.zincrby(keys.rank, 5, member)
    assert await found_by(pod) == {"redis": 1}
    await pod.look()
    assert pod.epochs.get(place).name != epoch
    assert await pod.rows_in_redis(place) == right
    assert await found_by(pod) == {}


async def test_a_player_whom_redis_has_behind_is_sent_again(pod: Pod, users: list[UserId]):
    place = global_place(pod)
    epoch = pod.epochs.get(place).name
    keys, right = keys_of(place, epoch), await pod.rows_in_redis(place)
    version, _, member = (await pod.ordering.redis.hget(keys.users, users[3])).partition("|")
    await pod.ordering.redis.hset(keys.users, users[3], f"{int(version) - 1}|{member}")
    await pod.ordering.redis.zadd(keys.rank, {member: 1})
    assert await found_by(pod) == {"redis": 1}
    assert pod.epochs.get(place).name == epoch
    assert await pod.rows_in_redis(place) == right
    assert await found_by(pod) == {}


async def test_a_database_that_lost_commits_outdoes_memory_and_redis(pod: Pod, users: list[UserId]):
    """As after a restore behind the pods' back, or a failover to a replica that was behind."""
    user, place = users[3], global_place(pod)
    rows = await pod.database.rows("SELECT version, score, last_at, last_hash FROM players WHERE id = $1", user)
    epoch = pod.epochs.get(place).name
    await redeem(pod, user)
    await settled(pod)
    await pod.database.rows("DELETE FROM ledger WHERE user_id = $1 AND user_version > $2", user, rows[0]["version"])
    await pod.database.rows(
        "UPDATE players SET version = $2, score = $3, last_at = $4, last_hash = $5 WHERE id = $1",
        user,
        *rows[0].values(),
    )
    await pod.database.rows("DELETE FROM standings WHERE user_id = $1", user)
    await pod.database.rows("DELETE FROM player_memos WHERE user_id = $1", user)
    found = await found_by(pod)
    assert (found["memory"], found["redis"] > 0) == (1, True)
    assert pod.state_of(user) is None
    await pod.look()
    assert pod.epochs.get(place).name != epoch
    assert {row.user_id: row.score for row in await pod.rows_in_redis(place)}[user] == rows[0]["score"]
    assert await found_by(pod) == {}
    outcome = await redeem(pod, user)
    assert outcome.entry.score_after == rows[0]["score"] + 10


async def test_memory_of_another_entry_of_the_same_version_is_forgotten(pod: Pod, users: list[UserId]):
    state = pod.state_of(users[3])
    assert state is not None
    state.last_hash = bytes(32)
    assert await found_by(pod) == {"memory": 1}
    assert pod.state_of(users[3]) is None
    assert await found_by(pod) == {}


async def test_a_row_that_the_ledger_contradicts_is_only_told(pod: Pod, users: list[UserId]):
    await pod.database.rows("UPDATE players SET score = score + 1 WHERE id = $1", users[2])
    assert await found_by(pod) == {"ledger": 1}
    assert await found_by(pod) == {"ledger": 1}


async def test_what_is_younger_than_the_grace_is_left_to_the_repair(pod: Pod, users: list[UserId]):
    place = global_place(pod)
    keys = keys_of(place, pod.epochs.get(place).name)
    member = (await pod.ordering.redis.zrange(keys.rank, 0, 0))[0]
    await pod.ordering.redis.zincrby(keys.rank, 5, member)
    auditor = auditor_of(pod)
    await auditor.pass_once()
    assert not +auditor.diverged


async def test_redis_away_leaves_the_rest_to_be_compared(pod: Pod, users: list[UserId]):
    pod.ordering.lost(ConnectionError("away"))
    await ledger.history(pod.database, users[0], 0)
    await pod.database.rows("UPDATE standings SET score = 1 WHERE user_id = $1", users[2])
    assert await found_by(pod) == {"standings": 1}
