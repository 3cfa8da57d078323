"""An example of every shape of administration."""

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from server import wire, wire_admin, wire_catalogue
from server.examples import ADA, ADMIN, TICKET, TIMES, USER

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
MEMBER = wire_admin.MemberAnswer(
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
_action = wire_catalogue.AdminActionAnswer(
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
_group = wire_catalogue.GroupAnswer(group_id="red-team", title="The red team")

_rules: dict[str, Any] = {"title": "Sprints of the day", "fold": "sum", "window": "day"}
_board = wire.AdminBoardAnswer(
    board_id="sprints",
    **_rules,
    time_zone="UTC",
    season=None,
    filter=wire.BoardFilter(actions=["sprint"]),
    top_size=10,
    visibility="public",
    revision=1,
    period=wire.PeriodAnswer(id="2026-11-21", start=TIMES[0], end=TIMES[2]),
    frozen=False,
)

EXAMPLES: tuple[Struct, ...] = (
    wire_admin.WriteScore(score=40, reason=REASON),
    wire_admin.ChangeScore(change=5, reason=REASON),
    wire_admin.Why(reason=REASON),
    wire_admin.Ban(reason="scripts", until=datetime(2030, 1, 1, tzinfo=UTC)),
    MEMBER,
    wire_admin.MembersAnswer(entries=[MEMBER], next=None),
    wire_admin.ScoreAnswer(user_id=USER, score=40, user_version=1, updated_at=TIMES[0]),
    wire_admin.DeedAnswer(
        entry_id=DEED,
        kind="adjust",
        user_id=USER,
        change=40,
        old_score=0,
        new_score=40,
        leaderboard_position=1,
        reason=REASON,
        caller=ADMIN,
        at=TIMES[0],
        user_version=1,
        target_id=None,
        replayed=False,
    ),
    wire_admin.BanAnswer(
        entry_id=DEED,
        user_id=USER,
        reason="scripts",
        until="2030-01-01T00:00:00.000Z",
        caller=ADMIN,
        at=TIMES[0],
        user_version=2,
        replayed=False,
    ),
    wire_admin.RecordsAnswer(entries=[wire_admin.RecordAnswer(**RECORD)], next=None),
    wire.NewBoard(board_id="sprints", **_rules, filter=wire.BoardFilter(actions=["sprint"])),
    wire.BoardRules(**_rules, filter=wire.BoardFilter(actions=["sprint"])),
    _board,
    wire.AdminBoardsAnswer(entries=[_board], next=None),
    wire.FreezeAnswer(board_id="sprints", frozen=True),
    wire_catalogue.NewAction(
        action_id="obstacle-course", title="The obstacle course", points=25, min_seconds=5, max_seconds=600
    ),
    wire_catalogue.ActionRules(title="The obstacle course", points=25, min_seconds=5, max_seconds=600),
    wire_catalogue.ChangedRules(points=25),
    _action,
    wire_catalogue.AdminActionsAnswer(entries=[_action], next=None),
    wire_catalogue.NewGroup(group_id="red-team", title="The red team"),
    wire_catalogue.GroupTitle(title="The red team"),
    _group,
    wire_catalogue.AdminGroupsAnswer(entries=[_group], next=None),
)
