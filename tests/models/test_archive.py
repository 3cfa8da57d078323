"""Months that leave the ledger: nothing changes for players and boards, and an audit still reads all of it."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from loadtests.load.evidence import read_database
from loadtests.load.measured import Budgets, Lag, Measured
from loadtests.load.told import Told, View
from loadtests.load.verdict import Stores, judge
from models import base, boards, checkpoint, ledger, partitions
from models.archive import Archive
from models.archiving import Archiving, following, months, name_of
from models.auditor import Auditor, Verdict, reading
from models.board import Board
from models.checkpoint import Checkpoint
from models.database import Database
from models.emptying import administering
from models.entry import FOREVER_MS, Entry, Kind
from models.errors import ArchiveInvalid, ArchiveRefused, DatabaseUnavailable
from models.ids import ActionId, EntryId, uuid7
from models.migrate import migrate
from models.proposal import Draft, propose
from models.snapshot import Question, refold, take
from models.state import PlayerState, apply_entry
from tests.models.test_audit import CHAIN, Player


def month_before(day: date, count: int) -> date:
    for _ in range(count):
        day = (day.replace(day=1) - timedelta(days=1)).replace(day=1)
    return day


TODAY = datetime.now(UTC).date()
HELD_UP_SECONDS = 3.0
"""Behind a lock that is waited for it would be until the statement's own limit of five."""
FIRST, SECOND, KEPT = month_before(TODAY, 5), month_before(TODAY, 4), month_before(TODAY, 3)


def within(month: date) -> int:
    """A moment in the middle of a month, in Unix milliseconds."""
    return int(datetime(month.year, month.month, 15, tzinfo=UTC).timestamp() * 1000)


@dataclass
class Old(Player):
    """A player whose tickets were issued in months gone by; they are redeemed today, in the order given."""

    async def redeems_of(self, month: date | None, points: int = 10) -> Entry:
        state, now = self.state, max(int(time.time() * 1000), self.state.last_at)
        draft = Draft(
            EntryId(uuid7(now if month is None else within(month))),
            Kind.REDEEM,
            points,
            state.banned_until,
            state.region,
            state.groups,
            action_id=ActionId("sprint"),
            action_revision=1,
        )
        proposal = propose(state, draft, now, CHAIN)
        assert await ledger.commit(self.database, [proposal]) == {draft.entry_id}
        apply_entry(state, proposal.entry)
        state.last_hash = proposal.seal
        self.entries.append(proposal.entry)
        return proposal.entry


@dataclass
class Scene:
    """Players with histories of several months, and what they folded to when all of it was there."""

    database: Database
    url: str
    boards: Sequence[Board]
    players: list[Old]
    before: list[PlayerState]

    async def folded(self) -> list[PlayerState]:
        return [await refold(self.database, p.state.user_id, p.state.version, self.boards) for p in self.players]

    async def archive(self, folder: Path, months_: Sequence[date] = (FIRST, SECOND)) -> list[Archive]:
        async with administering(self.url) as connection:
            archiving = Archiving(connection, self.boards, CHAIN, closing_seconds=0)
            await archiving.close(following(months_[-1]))
            return [await archiving.archive(month, folder) for month in months_]

    async def verify(self, *archives: Archive, marks: Any = ()) -> Verdict:
        async with reading(self.url) as connection:
            return await Auditor(connection, self.boards, CHAIN, archives=archives).verify(None, marks)


@pytest.fixture
async def scene(postgres_url: str, database_url: str) -> AsyncIterator[Scene]:
    admin = await asyncpg.connect(database_url)
    await admin.execute("DROP SCHEMA public CASCADE")
    await admin.execute("CREATE SCHEMA public")
    await admin.close()
    await migrate(database_url)
    database = Database(database_url)
    await database.open()
    await partitions.provide(database, within(FIRST), 6)
    defined = await boards.load(database)
    players = [Old(database, defined) for _ in range(5)]
    for player in players:
        await player.sql("INSERT INTO players (id) VALUES ($1)")
    mixed, gone, young, corrected, late = players
    for month in (FIRST, FIRST, SECOND, KEPT, None):
        await mixed.redeems_of(month)
    for _ in range(3):
        await gone.redeems_of(FIRST, 7)
    await young.redeems_of(None)
    target = await corrected.redeems_of(FIRST)
    await corrected.redeems_of(SECOND, 5)
    await corrected.does(Kind.MOVE, region="eu", groups=("reds",))
    await corrected.voids(target)
    await corrected.does(Kind.BAN, banned_until=FOREVER_MS, meta={"until": FOREVER_MS})
    # A ticket of the first month that is redeemed behind one of a month that stays.
    for month in (FIRST, KEPT, FIRST, SECOND, None):
        await late.redeems_of(month, 3)
    scene = Scene(database, database_url, defined, players, [])
    scene.before = await scene.folded()
    yield scene
    await database.close()


def written(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("ledger-*")]


def plain(states: Sequence[PlayerState]) -> list[PlayerState]:
    """States without what the ledger's fold leaves to the player's row."""
    return [replace(state, last_hash=None, region=None, groups=()) for state in states]


async def test_players_boards_and_audits_go_on_as_before(scene: Scene, tmp_path: Path):
    archives = await scene.archive(tmp_path)
    assert [(archive.header.month, archive.header.entries) for archive in archives] == [
        (f"{FIRST:%Y-%m}", 2 + 3 + 1 + 1),
        (f"{SECOND:%Y-%m}", 1 + 1),
    ]
    assert plain(await scene.folded()) == plain(scene.before)
    async with administering(scene.url) as connection:
        assert await months(connection, KEPT) == []
        assert await connection.fetchval("SELECT count(*) FROM ledger") == 19 - 9
    found = await take(
        scene.database,
        scene.database,
        [Question(player.state.user_id) for player in scene.players],
        scene.boards,
        int(time.time() * 1000),
    )
    assert [one.state.standings for one in found] == [state.standings for state in scene.before]

    kept = await scene.verify()
    assert (kept.fault, kept.entries, kept.archived) == (None, 10, 4)
    whole = await scene.verify(*archives)
    assert (whole.fault, whole.entries, whole.archived) == (None, 19, 0)


async def test_what_comes_after_is_folded_on_top(scene: Scene, tmp_path: Path):
    archives = [*(await scene.archive(tmp_path, (FIRST,))), *(await scene.archive(tmp_path, (SECOND,)))]
    mixed, gone, _, _, late = scene.players
    for player in (mixed, gone, late):
        await player.redeems_of(None, 100)
    await mixed.voids(mixed.entries[3])
    await late.voids(late.entries[2])  # the straggler, which stayed
    for player in (mixed, gone, late):
        player.state = await refold(player.database, player.state.user_id, player.state.version, scene.boards)
        await player.settles()
    board = next(board for board in scene.boards if board.board_id == "global")
    scores = {p.state.user_id: p.state.standings[(board.key, "all")].score for p in (mixed, gone, late)}
    assert list(scores.values()) == [10 * 4 + 100, 7 * 3 + 100, 3 * 4 + 100]
    whole = await scene.verify(*archives)
    assert (whole.fault, whole.settled) == (None, 3)
    assert (await scene.verify()).fault is None


async def test_an_archived_entry_can_no_longer_be_voided(scene: Scene, tmp_path: Path):
    mixed, *_, late = scene.players
    await scene.archive(tmp_path)
    assert await ledger.entry_by_id(scene.database, mixed.entries[0].entry_id) is None
    assert await ledger.entry_by_id(scene.database, late.entries[2].entry_id) is None  # closed with its month
    assert await ledger.entry_by_id(scene.database, mixed.entries[3].entry_id) is not None


async def test_a_month_whose_tickets_live_stays(scene: Scene, tmp_path: Path):
    with pytest.raises(ArchiveRefused, match="too young"):
        await scene.archive(tmp_path, (month_before(TODAY, 1),))
    assert written(tmp_path) == []


async def test_a_month_that_finds_no_room_stays(scene: Scene, tmp_path: Path):
    with pytest.raises(ArchiveRefused, match=r"cannot write .*: No such file"):
        await scene.archive(tmp_path / "none")
    async with administering(scene.url) as connection:
        assert await months(connection, KEPT) == [FIRST, SECOND]


async def test_a_broken_history_stays(scene: Scene, tmp_path: Path):
    entry = scene.players[1].entries[1].entry_id
    await scene.database.rows("UPDATE ledger SET delta = 8 WHERE entry_id = $1", entry)
    with pytest.raises(ArchiveRefused, match=entry):
        await scene.archive(tmp_path)
    async with administering(scene.url) as connection:
        assert await months(connection, KEPT) == [FIRST, SECOND]
        assert await connection.fetchval("SELECT count(*) FROM ledger_bases") == 0


async def test_a_long_reader_is_waited_for_and_holds_nobody_up(scene: Scene, tmp_path: Path):
    reader = await asyncpg.connect(scene.url)
    transaction = reader.transaction()
    await transaction.start()
    await reader.execute("SELECT count(*) FROM ledger")
    archiving = asyncio.create_task(scene.archive(tmp_path, (FIRST,)))
    while not written(tmp_path):
        await asyncio.sleep(0.01)
    for _ in range(10):
        began = time.monotonic()
        await scene.players[2].redeems_of(None)
        assert time.monotonic() - began < HELD_UP_SECONDS
    assert not archiving.done()
    with pytest.raises(DatabaseUnavailable):
        await partitions.provide(scene.database, within(TODAY.replace(year=TODAY.year + 5, day=1)), 1)
    await transaction.rollback()
    await reader.close()
    assert len(await archiving) == 1


async def test_archives_and_bases_that_were_changed_are_found(scene: Scene, tmp_path: Path):
    first, second = await scene.archive(tmp_path)
    missing = await scene.verify(first)
    assert "is missing" in str(missing.fault)
    missing = await scene.verify(second)
    assert "is missing" in str(missing.fault)

    content = gzip.decompress(first.path.read_bytes())
    for changed in (
        content.replace(b'"redeem', b'"award', 1),
        content[:-100],
        content.replace(b'"entries":7', b'"entries":6'),
    ):
        (tmp_path / "changed").write_bytes(gzip.compress(changed))
        with pytest.raises(ArchiveInvalid):
            Archive.open(tmp_path / "changed", CHAIN)
    packed = first.path.read_bytes()
    (tmp_path / "changed").write_bytes(packed[:-40])
    with pytest.raises(ArchiveInvalid):
        Archive.open(tmp_path / "changed", CHAIN)
    for place in range(10, len(packed)):  # the ten before are gzip's own, and say nothing
        (tmp_path / "changed").write_bytes(packed[:place] + bytes([packed[place] ^ 0x55]) + packed[place + 1 :])
        with pytest.raises(ArchiveInvalid):
            Archive.open(tmp_path / "changed", CHAIN)

    user = scene.players[1].state.user_id
    found = await base.find(scene.database, user)
    richer = found.state(scene.boards)
    richer.score += 1
    other = base.Base.of(replace(richer, boards=tuple(scene.boards)), CHAIN)
    update = "UPDATE ledger_bases SET state = $2, seal = $3 WHERE user_id = $1"
    await scene.database.rows(update, user, other.content, found.seal)
    assert "not sealed by us" in str((await scene.verify()).fault)
    await scene.database.rows(update, user, other.content, other.seal)
    assert "not what the archived entries fold to" in str((await scene.verify(first, second)).fault)
    await scene.database.rows(update, user, found.content, found.seal)
    assert (await scene.verify(first, second)).fault is None


async def test_a_checkpoint_reaches_into_the_archive(scene: Scene, tmp_path: Path):
    async with reading(scene.url) as connection:
        lines = [line async for line in checkpoint.take(connection, CHAIN)]
    (tmp_path / "checkpoint").write_text("".join(lines))
    mark = Checkpoint.open(tmp_path / "checkpoint", CHAIN)
    archives = await scene.archive(tmp_path)
    assert (await scene.verify(*archives, marks=mark.marks())).fault is None
    assert (await scene.verify(marks=mark.marks())).fault is None
    wrong = [
        replace(one, seal=b"x" * 32) if one.user_id == scene.players[1].state.user_id else one for one in mark.marks()
    ]
    assert "does not end with" in str((await scene.verify(marks=iter(wrong))).fault)


async def test_a_run_that_was_killed_is_finished_by_the_next(scene: Scene, tmp_path: Path):
    await scene.archive(tmp_path, (FIRST,))
    # As if it had been killed between the month's leaving and the end of its table.
    await scene.database.rows(f"CREATE TABLE ledger_{FIRST:%Y_%m} (LIKE ledger)")
    await scene.archive(tmp_path, (SECOND,))
    assert (await scene.database.rows(f"SELECT to_regclass('ledger_{FIRST:%Y_%m}')::text AS t"))[0]["t"] is None


async def test_a_file_that_is_there_is_replaced_only_by_the_same(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def killed(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(Archiving, "_take_out", killed)
        with pytest.raises(asyncio.CancelledError):
            await scene.archive(tmp_path, (FIRST,))
    (name,) = written(tmp_path)
    own = Archive.open(tmp_path / name, CHAIN)
    await scene.players[2].redeems_of(FIRST)
    (again,) = await scene.archive(tmp_path, (FIRST,))
    assert again.header.entries >= own.header.entries

    other = tmp_path / name_of(SECOND)
    content = again.path.rename(other).read_bytes()
    with pytest.raises(ArchiveRefused, match="move it away"):
        await scene.archive(tmp_path, (SECOND,))
    assert other.read_bytes() == content
    other.write_bytes(b"something else")
    with pytest.raises(ArchiveInvalid):
        await scene.archive(tmp_path, (SECOND,))
    assert other.read_bytes() == b"something else"


async def test_months_are_made_over_the_end_of_a_year_by_several_pods_at_once(scene: Scene):
    def at(text: str) -> int:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)

    for moment in ("2051-10-31T23:59:59.999", "2051-12-31T23:59:59.999", "2052-01-01T00:00:00"):
        pods = [asyncio.create_task(partitions.provide(scene.database, at(moment), 3)) for _ in range(3)]
        await asyncio.wait(pods)
        assert any(pod.exception() is None for pod in pods)  # the others had to wait, and try again later
        while await partitions.provide(scene.database, at(moment), 3):
            pass
    names = "SELECT relname FROM pg_class WHERE relname ~ '^ledger_205[12]_..$' ORDER BY relname"
    rows = await scene.database.rows(names)
    assert [row["relname"] for row in rows] == [
        f"ledger_{month}" for month in ("2051_10", "2051_11", "2051_12", "2052_01", "2052_02", "2052_03")
    ]


async def test_a_verdict_on_a_load_test_knows_what_is_archived(scene: Scene, tmp_path: Path):
    """Ledger and scores agree with months gone, and a view of an archived score is no wrong one."""
    mixed, *_, corrected, late = scene.players
    ids = [str(player.state.user_id) for player in scene.players]

    async def broken() -> list[str]:
        stores = Stores()
        await read_database(stores, scene.url, ids)
        rows = [(ids[0], 10 * 3), (ids[4], 3)]
        told = Told(views=[View("viewer", "epoch", 1, rows, True)])
        found = judge(told, stores, Measured([], 1, [], []), Budgets([], Lag(1, 1), 0))
        return sorted(text.text.partition(":")[0] for text in found if text.kind in ("ledger", "fold"))

    assert await broken() == []
    await scene.archive(tmp_path)
    for number, player in enumerate(scene.players):
        await player.settles()
        assert await broken() == [], number
    for player in (mixed, corrected, late):
        await scene.database.rows("UPDATE players SET score = score + 1 WHERE id = $1", str(player.state.user_id))
    await scene.database.rows("UPDATE players SET version = version + 1 WHERE id = $1", ids[1])
    assert await broken() == sorted([ids[0], ids[1], ids[3], ids[4]])
