"""Every fault that can be planted in the ledger is found and named; what is right is never called wrong."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from models import boards, checkpoint, ledger
from models.auditor import Auditor, Verdict, reading
from models.board import Board
from models.chain import Chain
from models.checkpoint import Checkpoint
from models.database import Database
from models.entry import ERASED_MS, FOREVER_MS, REFOLDED, Entry, Kind
from models.errors import CheckpointInvalid
from models.ids import ActionId, EntryId, UserId, uuid7
from models.migrate import migrate
from models.proposal import Draft, IdempotencyKey, propose
from models.settling import settle, settlement_of
from models.snapshot import refold
from models.state import PlayerState, apply_entry

CHAIN = Chain({"old": bytes(32), "new": bytes(range(32))}, "new")
OLDER = Chain(CHAIN.keys, "old")


@dataclass
class Player:
    """A player who does things, the way an actor would write them."""

    database: Database
    boards: Sequence[Board]
    state: PlayerState = field(init=False)
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = PlayerState(UserId(str(uuid4())), tuple(self.boards))

    async def does(self, kind: Kind, delta: int = 0, chain: Chain = CHAIN, **facts: Any) -> Entry:
        """One more entry, committed and folded."""
        state, now = self.state, max(int(time.time() * 1000), self.state.last_at)
        draft = Draft(
            EntryId(uuid7(now)),
            kind,
            delta,
            **{"banned_until": state.banned_until, "region": state.region, "groups": state.groups} | facts,
        )
        proposal = propose(state, draft, now, chain)
        assert await ledger.commit(self.database, [proposal]) == {draft.entry_id}
        if kind in REFOLDED:
            self.state = await refold(self.database, state.user_id, state.version + 1, self.boards)
        else:
            apply_entry(state, proposal.entry)
        self.state.last_hash = proposal.seal
        self.entries.append(proposal.entry)
        return proposal.entry

    async def redeems(self, points: int = 10, **facts: Any) -> Entry:
        return await self.does(Kind.REDEEM, points, action_id=ActionId("sprint"), action_revision=1, **facts)

    async def voids(self, target: Entry) -> Entry:
        return await self.does(
            Kind.VOID,
            -target.delta,
            target_id=target.entry_id,
            effective_at=target.effective_at,
            region=target.region,
            groups=target.groups,
            action_id=target.action_id,
            action_revision=target.action_revision,
            key=IdempotencyKey("void", target.entry_id, b"x"),
        )

    async def settles(self) -> None:
        await settle(self.database, [settlement_of(self.state)])

    async def sql(self, statement: str, *values: object) -> None:
        """A statement about this player, who is `$1`."""
        await self.database.rows(statement, self.state.user_id, *values)


@pytest.fixture(scope="module")
def migrated(database_url: str) -> str:
    asyncio.run(migrate(database_url))
    return database_url


@pytest.fixture
async def database(migrated: str) -> AsyncIterator[Database]:
    database = Database(migrated)
    await database.open()
    yield database
    for table in ("players", "ledger", "idempotency_keys", "standings", "player_memos"):
        await database.rows(f"DELETE FROM {table}")
    await database.close()


@pytest.fixture
async def new_player(database: Database) -> Callable[[], Awaitable[Player]]:
    defined = await boards.load(database)

    async def make() -> Player:
        player = Player(database, defined)
        await player.sql("INSERT INTO players (id) VALUES ($1)")
        return player

    return make


@pytest.fixture
async def player(new_player: Callable[[], Awaitable[Player]]) -> Player:
    """Five entries and their standings: redemptions of 10, 20, 30, 40 and 50 points."""
    player = await new_player()
    for points in (10, 20, 30, 40, 50):
        await player.redeems(points)
    await player.settles()
    return player


@pytest.fixture
async def verify(migrated: str, database: Database) -> AsyncIterator[Callable[..., Awaitable[Verdict]]]:
    async with reading(migrated) as connection:
        auditor = Auditor(connection, await boards.load(database), CHAIN)
        yield auditor.verify


async def test_all_kinds_of_entries_hold_together(new_player, verify):
    player, other = await new_player(), await new_player()
    first = await player.redeems(10, chain=OLDER)
    await player.does(Kind.MOVE, region="north", groups=("a", "b"))
    second = await player.redeems(20, meta={"issuedAt": 1, "build": "ü"})
    await player.does(Kind.AWARD, 0, action_id=ActionId("duel"), action_revision=2, caller="api:1")
    await player.does(Kind.ADJUST, -100, meta={"reason": "unfair"})
    await player.voids(first)
    await player.does(Kind.BAN, banned_until=FOREVER_MS, meta={"until": FOREVER_MS, "reason": "x"})
    await player.voids(second)
    await player.does(Kind.ERASE)
    await player.settles()
    await player.does(Kind.UNBAN, banned_until=None)
    await player.redeems()
    await player.settles()
    await other.does(Kind.ADJUST, 5)
    verdict = await verify()
    assert (verdict.fault, verdict.players, verdict.entries, verdict.settled) == (None, 2, 12, 1)


async def test_long_histories_are_read_in_pieces(new_player, verify, monkeypatch):
    monkeypatch.setattr("models.auditor.BATCH", 3)
    monkeypatch.setattr("models.auditor.PAGE", 2)
    for count in (7, 0, 3, 1, 2):
        player = await new_player()
        for _ in range(count):
            await player.redeems()
    verdict = await verify()
    assert (verdict.fault, verdict.players, verdict.entries) == (None, 5, 13)
    await player.sql("UPDATE players SET version = 1000000000000 WHERE id = $1")
    assert (await verify(player.state.user_id)).fault.version == 3


LEDGER = "UPDATE ledger SET {} WHERE user_id = $1 AND user_version = 3"
HASH = "its hash does not follow"

PLANTED = [
    # edited
    (LEDGER.format("delta = 31, score_after = 61"), 3, HASH),
    (LEDGER.format("at = at - interval '1 hour'"), 3, HASH),
    (LEDGER.format("region = 'south'"), 3, HASH),
    (LEDGER.format("""meta = '{"reason": "mine"}'"""), 3, HASH),
    (LEDGER.format("""meta = '{"reason": [1]}'"""), 3, "it cannot be read"),
    (LEDGER.format("kind = 'gift'"), 3, "it cannot be read"),
    (LEDGER.format("hash = ''"), 3, HASH),
    (LEDGER.format("audit_key = 'lost'"), 3, "the audit key 'lost', which is not among the keys"),
    (LEDGER.format("hash_version = 2"), 3, "sealed in an unknown way"),
    (LEDGER.format("entry_id = gen_random_uuid()"), 3, HASH),
    # deleted
    ("DELETE FROM ledger WHERE user_id = $1 AND user_version = 3", 3, "the entry of this version is missing"),
    ("DELETE FROM ledger WHERE user_id = $1 AND user_version = 5", 5, "the entry of this version is missing"),
    ("DELETE FROM ledger WHERE user_id = $1", 1, "the entry of this version is missing"),
    # inserted
    (
        """INSERT INTO ledger SELECT (uuid7_floor(now())::text::uuid), kind, user_id, 6, action_id, action_revision,
           10, 160, at, effective_at, target_id, region, groups, caller, meta, hash, hash_version, audit_key
           FROM ledger WHERE user_id = $1 AND user_version = 5""",
        6,
        "the player's version is 5",
    ),
    (
        """INSERT INTO ledger SELECT 'ffffffff-0000-7000-8000-000000000000', kind, user_id, 2, action_id,
           action_revision, delta, score_after, at, effective_at, target_id, region, groups, caller, meta, hash,
           hash_version, audit_key FROM ledger WHERE user_id = $1 AND user_version = 2""",
        2,
        "a second entry of this version",
    ),
    (LEDGER.format("user_version = 0"), 3, "the entry of this version is missing"),
    # reordered
    (
        "UPDATE ledger SET user_version = 5 - user_version WHERE user_id = $1 AND user_version IN (2, 3)",
        2,
        HASH,
    ),
    # the player's row
    ("UPDATE players SET score = 1000 WHERE id = $1", 5, "the player's score is 1000, the entries say 150"),
    ("UPDATE players SET last_hash = 'x' WHERE id = $1", 5, "last hash is 78, the entries say"),
    ("UPDATE players SET last_at = last_at - interval '1 second' WHERE id = $1", 5, "time of the last entry"),
    ("UPDATE players SET banned_until = now() WHERE id = $1", 5, "end of a ban"),
    ("UPDATE players SET region = 'south' WHERE id = $1", 5, "region or groups"),
    ("UPDATE players SET groups = '{x}' WHERE id = $1", 5, "region or groups"),
    ("UPDATE players SET version = 6 WHERE id = $1", 6, "the entry of this version is missing"),
    ("UPDATE players SET version = 4 WHERE id = $1", 5, "the player's version is 4"),
    # what is derived
    ("UPDATE standings SET score = 151 WHERE user_id = $1 AND period = 'all'", 5, "is 151 reached at"),
    ("UPDATE standings SET reached_at = 1 WHERE user_id = $1 AND period <> 'all'", 5, "the standing on weekly/1"),
    ("UPDATE standings SET present = false WHERE user_id = $1 AND period = 'all'", 5, "is none"),
    ("UPDATE standings SET hidden = true WHERE user_id = $1 AND period = 'all'", 5, "is hidden"),
    ("DELETE FROM standings WHERE user_id = $1 AND period = 'all'", 5, "is none, the entries fold to 150"),
    ("UPDATE standings SET period = '2020-W01' WHERE user_id = $1 AND period <> 'all'", 5, "in 2020-W01 is 150"),
    ("UPDATE standings SET version = 6 WHERE user_id = $1", 5, "is of version 6"),
    ("UPDATE player_memos SET version = 6 WHERE user_id = $1", 5, "the memo is of version 6"),
    ("UPDATE player_memos SET actions = '{}' WHERE user_id = $1", 5, "the memory of actions"),
]


@pytest.mark.parametrize(("statement", "version", "words"), PLANTED)
async def test_planted_fault_is_named(player: Player, new_player, verify, statement: str, version: int, words: str):
    await (await new_player()).redeems()
    await player.sql(statement)
    for verdict in (await verify(player.state.user_id), await verify()):
        assert verdict.fault is not None
        assert (verdict.fault.user_id, verdict.fault.version) == (player.state.user_id, version)
        assert words in verdict.fault.text
        assert f"player {player.state.user_id}, version {version}" in str(verdict.fault)


@pytest.fixture
async def administered(new_player) -> Player:
    """What administrators and the player did, in seven entries: the score ends at 25, and the player is erased."""
    player = await new_player()
    first = await player.redeems(10)
    await player.does(Kind.ADJUST, 15, caller="an admin", meta={"reason": "set"})
    await player.does(Kind.MOVE, region="north", groups=("red",))
    await player.does(Kind.ADJUST, 10, caller="an admin", meta={"reason": "more"})
    await player.voids(first)
    await player.does(Kind.BAN, banned_until=FOREVER_MS, caller="an admin", meta={"until": FOREVER_MS, "reason": "x"})
    await player.does(Kind.ERASE, banned_until=ERASED_MS, region=None, groups=())
    await player.settles()
    await player.sql("UPDATE players SET region = NULL, groups = '{}' WHERE id = $1")  # as an erasure does
    return player


AT = "UPDATE ledger SET {} WHERE user_id = $1 AND user_version = {}"
ADMINISTERED = [
    # edited: by how much, who, why, where to, how long
    (AT.format("delta = 16, score_after = 26", 2), 2, HASH),
    (AT.format("caller = 'nobody'", 2), 2, HASH),
    (AT.format("meta = '{}'", 4), 4, HASH),
    (AT.format("region = 'south'", 3), 3, HASH),
    (AT.format("target_id = NULL", 5), 5, HASH),
    (AT.format("""meta = '{"until": 1, "reason": "x"}'""", 6), 6, HASH),
    (AT.format("kind = 'unban'", 7), 7, HASH),
    # deleted
    *(
        (f"DELETE FROM ledger WHERE user_id = $1 AND user_version = {n}", n, "the entry of this version is missing")
        for n in (2, 3, 4, 6, 7)
    ),
    # reordered
    ("UPDATE ledger SET user_version = 6 - user_version WHERE user_id = $1 AND user_version IN (2, 4)", 2, HASH),
    ("UPDATE ledger SET user_version = 13 - user_version WHERE user_id = $1 AND user_version IN (6, 7)", 6, HASH),
    # the row
    ("UPDATE players SET score = 26 WHERE id = $1", 7, "the player's score is 26, the entries say 25"),
    ("UPDATE players SET banned_until = NULL WHERE id = $1", 7, "end of a ban"),
    ("UPDATE standings SET hidden = false WHERE user_id = $1", 7, "which the player's ban contradicts"),
]


@pytest.mark.parametrize(("statement", "version", "words"), ADMINISTERED)
async def test_fault_among_administrators_entries_is_named(
    administered: Player, verify, statement: str, version: int, words: str
):
    verdict = await verify()
    assert (verdict.fault, verdict.entries, verdict.settled) == (None, 7, 1)
    await administered.sql(statement)
    fault = (await verify()).fault
    assert (fault.user_id, fault.version) == (administered.state.user_id, version)
    assert words in fault.text


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"kind": Kind.BAN, "delta": 1}, "must not move the score"),
        ({"kind": Kind.BAN, "meta": {"until": "never"}}, "the end of the ban is no time"),
        ({"kind": Kind.REDEEM, "action_id": None}, "it names no action"),
        ({"kind": Kind.ADJUST, "target_id": EntryId(str(uuid4()))}, "only a void has a target"),
        ({"kind": Kind.ADJUST, "region": "south"}, "region or groups are not those"),
        ({"kind": Kind.VOID, "target_id": EntryId(str(uuid4()))}, "which is no earlier entry of this player"),
    ],
)
async def test_sealed_entry_that_breaks_a_rule_is_named(player: Player, verify, facts: dict[str, Any], words: str):
    """What somebody with the key has written wrongly."""
    now, state = int(time.time() * 1000), player.state
    rest = {"delta": 0, "banned_until": None, "region": None, "groups": ()}
    draft = Draft(entry_id=EntryId(uuid7(now)), **rest | facts)
    await ledger.commit(player.database, [propose(state, draft, max(now, state.last_at), CHAIN)])
    fault = (await verify()).fault
    assert (fault.version, fault.entry_id) == (6, draft.entry_id)
    assert words in fault.text


async def test_wrong_sum_under_a_right_seal_is_named(player: Player, verify):
    player.state.score += 1
    entry = await player.redeems()
    fault = (await verify()).fault
    assert (fault.version, fault.entry_id) == (6, entry.entry_id)
    assert "the score after it is 161" in fault.text


async def test_void_happens_once_and_reverses_its_target(player: Player, verify):
    target = player.entries[1]
    await player.voids(target)
    assert (await verify()).fault is None
    await player.sql("DELETE FROM idempotency_keys WHERE scope = 'void' AND $1::uuid IS NOT NULL")
    assert "the key of this void is gone" in (await verify()).fault.text
    again = await player.voids(target)
    fault = (await verify(player.state.user_id)).fault
    assert (fault.version, fault.entry_id) == (7, again.entry_id)
    assert "a second time" in fault.text


async def test_void_of_a_void_and_of_other_points_are_named(player: Player, new_player, verify):
    void = await player.voids(player.entries[0])
    await player.voids(void)
    assert "which moved no score" in (await verify(player.state.user_id)).fault.text
    other = await new_player()
    entry = await other.redeems()
    await other.does(Kind.VOID, -9, target_id=entry.entry_id, effective_at=entry.effective_at)
    assert "does not reverse" in (await verify(other.state.user_id)).fault.text


async def test_entries_without_a_player_are_named(player: Player, verify):
    await player.sql("DELETE FROM standings WHERE user_id = $1")
    await player.sql("DELETE FROM players WHERE id = $1")
    for verdict in (await verify(player.state.user_id), await verify()):
        assert verdict.fault.user_id == player.state.user_id
        assert verdict.fault.text == "its player does not exist"
    await player.sql("DELETE FROM ledger WHERE user_id = $1")
    assert "a memo, but the player does not exist" in (await verify()).fault.text


async def test_standing_without_a_player_is_named(verify, database: Database):
    await database.rows("INSERT INTO standings VALUES ('global/1', 'all', gen_random_uuid(), 9, 9, 1, true, false)")
    assert "a standing on global/1 in all" in (await verify()).fault.text


async def test_key_that_names_no_entry_is_named(player: Player, verify):
    entry_id = str(uuid4())
    await player.sql("INSERT INTO idempotency_keys SELECT 'award', 'k', $2, '' WHERE $1::uuid IS NOT NULL", entry_id)
    fault = (await verify()).fault
    assert fault.entry_id == entry_id
    assert "the idempotency key 'k' of scope 'award'" in fault.text


async def test_claimed_void_that_never_happened_is_named(player: Player, verify):
    target, other = player.entries[0].entry_id, player.entries[1].entry_id
    statement = "INSERT INTO idempotency_keys SELECT 'void', $2::uuid::text, $3, '' WHERE $1::uuid IS NOT NULL"
    await player.sql(statement, target, other)
    fault = (await verify()).fault
    assert fault.entry_id == other
    assert f"the key of a void of {target}" in fault.text


async def taken(url: str, folder: Path, chain: Chain = CHAIN) -> Path:
    path = folder / "checkpoint"
    async with reading(url) as connection:
        path.write_text("".join([line async for line in checkpoint.take(connection, chain)]))
    return path


async def test_checkpoint_shows_a_player_rolled_back_whole(
    migrated: str, player: Player, new_player, verify, tmp_path: Path
):
    others = [await new_player() for _ in range(3)]
    for other in others:
        await other.redeems()
    kept = Checkpoint.open(await taken(migrated, tmp_path, OLDER), CHAIN)
    assert (kept.header.players, kept.header.entries) == (4, 8)
    await player.redeems()
    assert (await verify(marks=kept.marks())).fault is None

    await player.sql("DELETE FROM ledger WHERE user_id = $1 AND user_version > 2")
    await player.sql("DELETE FROM standings WHERE user_id = $1")
    await player.sql("DELETE FROM player_memos WHERE user_id = $1")
    await player.sql(
        """UPDATE players SET version = 2, score = l.score_after, last_at = l.at, last_hash = l.hash
           FROM ledger l WHERE id = $1 AND l.user_id = $1 AND l.user_version = 2"""
    )
    assert (await verify()).fault is None
    for verdict in (await verify(marks=kept.marks()), await verify(player.state.user_id, kept.marks())):
        assert (verdict.fault.user_id, verdict.fault.version) == (player.state.user_id, 2)
        assert "rolled back: the checkpoint has version 5" in verdict.fault.text

    player.state = await refold(player.database, player.state.user_id, 2, player.boards)
    rows = await player.database.rows("SELECT last_hash FROM players WHERE id = $1", player.state.user_id)
    player.state.last_hash = rows[0]["last_hash"]
    for _ in range(3):
        entry = await player.redeems()
    fault = (await verify(marks=kept.marks())).fault
    assert (fault.version, fault.entry_id) == (5, entry.entry_id)
    assert fault.text == "it is not the entry that the checkpoint has"


@pytest.mark.parametrize("which", [0, -1])
async def test_checkpoint_shows_a_player_gone_whole(migrated: str, new_player, verify, tmp_path: Path, which: int):
    made = sorted([await new_player() for _ in range(3)], key=lambda player: player.state.user_id)
    for player in made:
        await player.redeems()
    kept = Checkpoint.open(await taken(migrated, tmp_path), CHAIN)
    await made[which].sql("DELETE FROM ledger WHERE user_id = $1")
    await made[which].sql("DELETE FROM players WHERE id = $1")
    assert (await verify()).fault is None
    fault = (await verify(marks=kept.marks())).fault
    assert (fault.user_id, fault.text) == (made[which].state.user_id, "the player is gone")


async def test_checkpoint_that_was_touched_is_refused(migrated: str, player: Player, tmp_path: Path):
    path = await taken(migrated, tmp_path)
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    assert len(list(Checkpoint.open(path, CHAIN).marks())) == len(lines) - 2

    def refused(words: str, touched: bytes = content, chain: Chain = CHAIN) -> None:
        path.write_bytes(touched)
        with pytest.raises(CheckpointInvalid, match=words):
            Checkpoint.open(path, chain)

    refused("signature does not fit", content.replace(b" 5 ", b" 4 "))
    refused("signature does not fit", lines[0] + lines[-1])
    refused("signature does not fit", b"".join([*lines[:-1], *lines[-2:]]))
    refused("signature does not fit", content + lines[1])
    refused("cut off", b"".join(lines[:-1]))
    refused("cut off", content[:-40])
    refused("no checkpoint", b"\xff signature 00")
    refused("no checkpoint", b"")
    refused("audit key 'new', which is not given", chain=Chain({"old": bytes(32)}, "old"))
    refused("signature does not fit", chain=Chain({"new": bytes(32)}, "new"))


async def test_audit_holds_while_entries_are_written(new_player, verify):
    """What is committed between two reads of a walk is not taken for a fault."""
    players = [await new_player() for _ in range(4)]
    done = asyncio.Event()

    async def play() -> None:
        for number in range(60):
            player = players[number % 4]
            await player.redeems()
            if number % 3 == 0:
                await player.settles()
        done.set()

    playing = asyncio.create_task(play())
    walks = 0
    while not done.is_set():
        assert (await verify()).fault is None
        walks += 1
    await playing
    assert walks > 1
    assert (await verify()).entries == 60
