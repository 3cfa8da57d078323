"""The scripts against a real Redis: idempotent, numbered, and never fooled by half a board."""

import itertools
import random
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest

from actors.change import Change, Columns, apply_call
from actors.keys import TTL_MS, USER_CHANNEL, keys_of
from actors.ordering import Ordering
from models.board import Place
from models.entry import MAX_SCORE
from models.ids import UserId
from models.ranking import Row, member_of, row_of, sort_key
from models.state import Standing

EPOCH = "e1"
USERS = [UserId(str(UUID(int=number + 1))) for number in range(40)]
A, B, C = USERS[:3]


class BoardInRedis:
    """One empty board of its own, and its scripts."""

    def __init__(self, ordering: Ordering) -> None:
        self.ordering = ordering
        self.redis = ordering.redis
        self.place: Place = (f"board-{uuid4().hex}/1", "all")
        self.keys = keys_of(self.place, EPOCH)

    async def prepare(self) -> "BoardInRedis":
        await self.redis.set(self.keys.pointer, EPOCH)
        meta = {"version": 0, "top": "", "at": 0, "players": 0, "known": 0, "run": "r"}
        await self.redis.hset(self.keys.meta, mapping=meta)
        return self

    async def apply(self, *changes: Change, epoch: str = EPOCH, seen: int = 0, size: int = 10, filling: bool = False):
        call = apply_call(
            self.place, epoch, seen, size, 1234, Columns.of(changes, 1234), answering=True, filling=filling
        )
        (answer,) = await self.ordering.run([call])
        return answer

    async def page(self, limit: int = 100, after: Row | None = None):
        cursor = ("", "") if after is None else (str(after.score), member_of(after.user_id, after.reached_at))
        (answer,) = await self.ordering.run([("page", self.keys.reading(), [limit, *cursor])])
        return answer

    async def rows(self, limit: int = 100, after: Row | None = None) -> list[Row]:
        found = await self.page(limit, after)
        assert found[0] == "ok"
        return [row_of(member, score) for member, score in zip(found[7::2], found[8::2], strict=True)]

    async def spot(self, user_id: UserId, size: int = 10):
        (answer,) = await self.ordering.run([("place", self.keys.reading(), [user_id, size])])
        return answer

    async def dump(self) -> tuple[object, ...]:
        """Everything the board is made of."""
        return (
            await self.redis.zrange(self.keys.rank, 0, -1, withscores=True),
            await self.redis.hgetall(self.keys.users),
            await self.redis.hgetall(self.keys.meta),
            await self.redis.xrange(self.keys.stream),
        )

    async def records(self) -> list[tuple[str, str]]:
        return [(number, fields["top"]) for number, fields in await self.redis.xrange(self.keys.stream)]


@pytest.fixture
async def board(redis_url: str) -> AsyncIterator[BoardInRedis]:
    ordering = Ordering(redis_url)
    yield await BoardInRedis(ordering).prepare()
    await ordering.close()


def change(user: UserId, version: int, score: int | None, at: int = 1_000, delta: int | None = None) -> Change:
    return Change.of(user, version, None if score is None else Standing(score, at), delta)


async def test_one_change_is_ranked_and_numbered(board: BoardInRedis):
    assert await board.apply(change(A, 1, 10)) == ["ok", 1, 1, "", 1]
    assert await board.rows() == [Row(A, 10, 1_000)]
    assert await board.records() == [("1-0", f"{member_of(A, 1_000)} 10")]


async def test_running_twice_changes_nothing(board: BoardInRedis):
    changes = [change(user, 3, number % 4, number) for number, user in enumerate(USERS[:12])]
    first = await board.apply(*changes)
    before = await board.dump()
    assert await board.apply(*changes) == first
    assert await board.dump() == before


async def test_versions_in_any_order_end_the_same(board: BoardInRedis):
    history = [change(A, 1, 5), change(A, 2, 8), change(A, 3, None), change(A, 4, 2), change(A, 5, 1)]
    expected = [Row(A, 1, 1_000)]
    for order in itertools.permutations(history):
        other = await BoardInRedis(board.ordering).prepare()
        for one in order:
            await other.apply(one)
        assert await other.rows() == expected
        assert (await other.redis.hget(other.keys.users, A)).startswith("5|")


async def test_shuffled_replays_of_many_players_give_the_newest(board: BoardInRedis):
    chance = random.Random(7)
    history = [change(user, version, chance.randint(-5, 5), version) for user in USERS for version in range(1, 6)]
    for _ in range(3):
        chance.shuffle(history)
        for start in range(0, len(history), 7):
            batch: dict[UserId, Change] = {one.user_id: one for one in history[start : start + 7]}
            await board.apply(*batch.values())
    newest = [one for one in history if one.version == 5]
    expected = sorted((row_of(one.member, str(one.score)) for one in newest), key=sort_key, reverse=True)
    assert await board.rows() == expected


async def test_scores_are_absolute(board: BoardInRedis):
    for _ in range(5):
        await board.apply(change(A, 7, 100))
    assert await board.rows() == [Row(A, 100, 1_000)]


@pytest.mark.parametrize("score", [MAX_SCORE, -MAX_SCORE, 0, -1])
async def test_scores_come_back_exactly(board: BoardInRedis, score: int):
    await board.apply(change(A, 1, score), change(B, 1, score - 1 if score > 0 else score + 1))
    assert (await board.spot(A))[3] == str(score)
    assert {row.user_id: row.score for row in await board.rows()}[A] == score


async def test_another_epoch_is_refused(board: BoardInRedis):
    assert await board.apply(change(A, 1, 10), epoch="e2") == ["moved"]
    await board.redis.delete(board.keys.pointer)
    assert await board.apply(change(A, 1, 10)) == ["moved"]
    await board.redis.set(board.keys.pointer, "e2")
    assert await board.apply(change(A, 1, 10)) == ["moved"]
    assert await board.redis.exists(board.keys.rank, board.keys.users, board.keys.stream) == 0


@pytest.mark.parametrize("lost", ["meta", "rank", "users"])
async def test_a_half_emptied_board_is_refused_by_every_script(board: BoardInRedis, lost: str):
    await board.apply(change(A, 1, 10), change(B, 1, 20))
    await board.redis.delete(getattr(board.keys, lost))
    assert await board.apply(change(A, 2, 11)) == ["broken"]
    assert await board.page() == ["broken"]
    assert await board.spot(A) == ["broken"]
    assert not await board.redis.exists(getattr(board.keys, lost))


async def test_a_single_missing_row_is_noticed(board: BoardInRedis):
    await board.apply(change(A, 1, 10), change(B, 1, 20))
    await board.redis.zrem(board.keys.rank, member_of(A, 1_000))
    assert await board.apply(change(C, 1, 11)) == ["broken"]
    assert await board.page() == ["broken"]


async def test_a_board_behind_what_was_seen_is_refused(board: BoardInRedis):
    await board.apply(change(A, 1, 10))
    before = await board.dump()
    assert await board.apply(change(A, 2, 20), seen=2) == ["broken"]
    assert await board.dump() == before
    assert (await board.apply(change(A, 2, 20), seen=1))[0] == "ok"


async def test_readers_refuse_a_board_without_pointer(board: BoardInRedis):
    await board.apply(change(A, 1, 10))
    await board.redis.delete(board.keys.pointer)
    assert await board.page() == ["broken"]
    assert await board.spot(A) == ["broken"]


async def test_the_stream_numbers_each_change_of_the_top_without_gaps(board: BoardInRedis):
    chance = random.Random(3)
    tops = [""]
    for step in range(1, 200):
        user = chance.choice(USERS)
        await board.apply(change(user, step, chance.randint(0, 60), step), size=3)
        top = " ".join(f"{member_of(row.user_id, row.reached_at)} {row.score}" for row in await board.rows(3))
        if top != tops[-1]:
            tops.append(top)
    records = await board.records()
    assert [number for number, _ in records] == [f"{number}-0" for number in range(1, len(tops))]
    assert [top for _, top in records] == tops[1:]
    assert (await board.page())[2] == str(len(tops) - 1)
    assert len(tops) < 150


async def test_a_change_below_the_top_is_not_recorded(board: BoardInRedis):
    await board.apply(*(change(user, 1, 100) for user in USERS[:10]))
    version, records = (await board.page())[2], await board.records()
    assert await board.apply(change(USERS[20], 1, 5)) == ["ok", 1, 11, "100", 11]
    assert (await board.page())[2] == version
    assert await board.records() == records


async def test_a_removed_player_leaves_a_tombstone(board: BoardInRedis):
    await board.apply(change(A, 1, 10), change(B, 1, 20))
    assert await board.apply(change(B, 3, None)) == ["ok", 2, 1, "", 0]
    assert await board.redis.hget(board.keys.users, B) == "3|"
    assert await board.spot(B) == ["absent"]
    assert await board.apply(change(B, 2, 30)) == ["ok", 2, 1, "", 0]
    assert await board.rows() == [Row(A, 10, 1_000)]
    assert await board.apply(change(B, 4, 30)) == ["ok", 3, 2, "", 1]


async def test_removing_one_who_was_never_there_is_remembered(board: BoardInRedis):
    assert await board.apply(change(A, 5, None)) == ["ok", 0, 0, "", 0]
    assert await board.apply(change(A, 4, 10)) == ["ok", 0, 0, "", 0]
    assert await board.rows() == []
    assert (await board.page())[0] == "ok"


async def test_ties_rank_first_come_then_by_id(board: BoardInRedis):
    answer = await board.apply(
        change(A, 1, 10, at=300), change(B, 1, 10, at=200), change(C, 1, 10, at=200), change(USERS[3], 1, 11, at=900)
    )
    assert answer[4:] == [4, 3, 2, 1]
    assert [row.user_id for row in await board.rows()] == [USERS[3], C, B, A]


async def test_the_answered_rank_is_that_after_the_whole_batch(board: BoardInRedis):
    changes = [change(user, 1, number, number) for number, user in enumerate(USERS)]
    random.Random(5).shuffle(changes)
    answer = await board.apply(*changes)
    order = [row.user_id for row in await board.rows()]
    assert answer[4:] == [order.index(one.user_id) + 1 for one in changes]
    assert answer[3] == str((await board.rows())[9].score)


async def test_filling_neither_needs_a_pointer_nor_numbers(board: BoardInRedis):
    await board.redis.delete(board.keys.pointer)
    assert (await board.apply(change(A, 1, 10), filling=True))[:3] == ["ok", 0, 1]
    assert await board.records() == []
    await board.redis.set(board.keys.pointer, EPOCH)
    assert (await board.apply(change(B, 1, 5)))[:3] == ["ok", 1, 2]


async def test_keys_expire_and_activity_renews_them(board: BoardInRedis):
    await board.apply(change(A, 1, 10))
    for name in board.keys.all():
        assert TTL_MS / 2 < await board.redis.pttl(name) <= TTL_MS
    for name in board.keys.all():
        await board.redis.pexpire(name, TTL_MS // 4)
    await board.apply(change(A, 2, 11))
    for name in board.keys.all():
        assert await board.redis.pttl(name) > TTL_MS / 2


async def test_the_player_is_told_of_a_change_once(board: BoardInRedis):
    await board.apply(*(change(user, 1, 100 + number) for number, user in enumerate(USERS[1:11])))
    async with board.redis.pubsub() as pubsub:
        await pubsub.subscribe(USER_CHANNEL + A)
        assert (await pubsub.get_message(timeout=5))["type"] == "subscribe"
        for _ in range(2):
            await board.apply(change(A, 4, 40, delta=15))
        await board.apply(change(A, 5, 500, delta=460), change(B, 2, 1))
        first = await pubsub.get_message(timeout=5)
        second = await pubsub.get_message(timeout=5)
    assert first["data"] == "4 40 11 15 61"
    assert second["data"] == "5 500 1 460 0"


async def test_pages_follow_one_another(board: BoardInRedis):
    changes = [change(user, 1, number // 5, number % 3) for number, user in enumerate(USERS)]
    await board.apply(*changes)
    expected = await board.rows()
    found: list[Row] = []
    while rows := await board.rows(7, found[-1] if found else None):
        assert (await board.page(7, found[-1] if found else None))[6] == len(found)
        found += rows
    assert found == expected


@pytest.mark.parametrize("moved_to", [500, -500, None, 3])
@pytest.mark.parametrize("at", [5_000, None])
async def test_a_cursor_whose_row_moved_keeps_its_place(board: BoardInRedis, moved_to: int | None, at: int | None):
    changes = [change(user, 1, number // 5, number % 3) for number, user in enumerate(USERS)]
    await board.apply(*changes)
    before = await board.rows()
    for cursor in (before[0], before[12], before[-1]):
        other = await BoardInRedis(board.ordering).prepare()
        await other.apply(*changes)
        await other.apply(change(cursor.user_id, 2, moved_to, cursor.reached_at if at is None else at))
        now = await other.rows()
        expected = [row for row in now if sort_key(row) < sort_key(cursor)]
        assert await other.rows(100, cursor) == expected
        assert (await other.page(100, cursor))[6] == len(now) - len(expected)


async def test_a_place_knows_who_is_above_and_the_edge(board: BoardInRedis):
    await board.apply(*(change(user, 1, number * 10) for number, user in enumerate(USERS[:12])))
    assert (await board.spot(USERS[11]))[3:] == ["110", 1, 12, "", "20"]
    assert (await board.spot(USERS[0]))[3:] == ["0", 12, 12, "10", "20"]
    assert (await board.spot(USERS[0], 12))[7] == "0"
    assert (await board.spot(USERS[0], 13))[7] == ""
    assert await board.spot(USERS[30]) == ["absent"]


async def test_unknown_scripts_are_sent_again(board: BoardInRedis):
    await board.redis.script_flush()
    assert (await board.apply(change(A, 1, 10)))[0] == "ok"
    await board.redis.script_flush()
    calls: Sequence[object] = [("page", board.keys.reading(), [1, "", ""])] * 2
    assert [answer[0] for answer in await board.ordering.run(calls)] == ["ok", "ok"]
