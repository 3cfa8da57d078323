"""An example of every shape of administration."""

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from server.examples import ADA, ADMIN, TICKET, TIMES, USER
from server.wire.admin import (
    Ban,
    BanAnswer,
    ChangeScore,
    DeedAnswer,
    MemberAnswer,
    MembersAnswer,
    RecordAnswer,
    RecordsAnswer,
    ScoreAnswer,
    VoidAnswer,
    Why,
    WriteScore,
)
from server.wire.boards import AdminBoardAnswer, AdminBoardsAnswer, BoardFilter, BoardRules, FreezeAnswer, NewBoard
from server.wire.catalogue import (
    ActionRules,
    AdminActionAnswer,
    AdminActionsAnswer,
    AdminGroupsAnswer,
    ChangedRules,
    GroupAnswer,
    GroupTitle,
    NewAction,
    NewGroup,
)
from server.wire.periods import PeriodAnswer

DEED = "01a1fbf0-5e7f-7d83-9b2c-6f1a7d24c5e8"
REASON = "a gift"

RECORD: dict[str, Any] = {
    "entry_id": TICKET,
    "kind": "redeem",
    "user_id": USER,
    "user_version": 1,
    "action_id": "sprint",
    "action_revision": 1,
    "change": 10,
    "old_score": 0,
    "new_score": 10,
    "at": TIMES[0],
    "effective_at": TIMES[0],
    "target_id": None,
    "region": None,
    "groups": [],
    "caller": None,
    "reason": None,
    "meta": {"issuedAt": 1_795_253_400_000},
    "voided": False,
}
MEMBER = MemberAnswer(
    **ADA,
    role="player",
    region=None,
    groups=[],
    score=10,
    user_version=1,
    banned=False,
    banned_until=None,
    created_at=TIMES[0],
)
_action = AdminActionAnswer(
    action_id="obstacle-course",
    title="The obstacle course",
    points=25,
    min_seconds=5,
    max_seconds=600,
    cooldown_seconds=0,
    daily_limit=None,
    overlap="forbid",
    ticket="required",
    proof="none",
    enabled=True,
    revision=1,
)
_group = GroupAnswer(group_id="red-team", title="The red team")

_rules: dict[str, Any] = {"title": "Sprints of the day", "fold": "sum", "window": "day"}
_board = AdminBoardAnswer(
    board_id="sprints",
    **_rules,
    time_zone="UTC",
    season=None,
    filter=BoardFilter(actions=["sprint"]),
    top_size=10,
    visibility="public",
    revision=1,
    period=PeriodAnswer(id="2026-11-21", start=TIMES[0], end=TIMES[2]),
    frozen=False,
)

EXAMPLES: tuple[Struct, ...] = (
    WriteScore(score=40, reason=REASON),
    ChangeScore(change=5, reason=REASON),
    Why(reason=REASON),
    Ban(reason="scripts", until=datetime(2030, 1, 1, tzinfo=UTC)),
    MEMBER,
    MembersAnswer(entries=[MEMBER], next=None),
    ScoreAnswer(user_id=USER, score=40, user_version=1, updated_at=TIMES[0]),
    DeedAnswer(
        entry_id=DEED,
        kind="adjust",
        user_id=USER,
        change=40,
        old_score=0,
        new_score=40,
        reason=REASON,
        caller=ADMIN,
        at=TIMES[0],
        user_version=1,
        target_id=None,
        leaderboard_position=1,
        replayed=False,
    ),
    VoidAnswer(
        entry_id=DEED,
        kind="void",
        user_id=USER,
        change=-10,
        old_score=10,
        new_score=0,
        reason=REASON,
        caller=ADMIN,
        at=TIMES[0],
        user_version=2,
        target_id=TICKET,
    ),
    BanAnswer(
        entry_id=DEED,
        user_id=USER,
        reason="scripts",
        until="2030-01-01T00:00:00.000Z",
        caller=ADMIN,
        at=TIMES[0],
        user_version=2,
        replayed=False,
    ),
    RecordsAnswer(entries=[RecordAnswer(**RECORD)], next=None),
    NewBoard(board_id="sprints", **_rules, filter=BoardFilter(actions=["sprint"])),
    BoardRules(**_rules, filter=BoardFilter(actions=["sprint"])),
    _board,
    AdminBoardsAnswer(entries=[_board], next=None),
    FreezeAnswer(board_id="sprints", frozen=True),
    NewAction(action_id="obstacle-course", title="The obstacle course", points=25, min_seconds=5, max_seconds=600),
    ActionRules(title="The obstacle course", points=25, min_seconds=5, max_seconds=600),
    ChangedRules(points=25),
    _action,
    AdminActionsAnswer(entries=[_action], next=None),
    NewGroup(group_id="red-team", title="The red team"),
    GroupTitle(title="The red team"),
    _group,
    AdminGroupsAnswer(entries=[_group], next=None),
)
