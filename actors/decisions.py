"""Decides commands: a command and a player's state to a draft or a refusal; pure."""

from hashlib import sha256
from typing import assert_never

from actors.errors import EntryUnknown, PlayerUnknown, ScoreExists, ScoreOutOfRange, TooManyGroups, Unchanged
from actors.messages import (
    AdjustScore,
    Award,
    BanPlayer,
    Command,
    ErasePlayer,
    Expected,
    JoinGroup,
    LeaveGroup,
    MoveRegion,
    RecallTicket,
    RedeemInstant,
    RedeemTicket,
    SetScore,
    UnbanPlayer,
    VoidEntry,
)
from models.board import GLOBAL
from models.catalogue import Catalogue, Revised
from models.entry import ERASED_MS, MAX_SCORE, SCORING, Kind
from models.groups import MAX_GROUPS
from models.ids import EntryId, UserId
from models.proposal import Draft, IdempotencyKey
from models.snapshot import Question
from models.state import PlayerState
from tickets.client_time import ClientTime, judge_client_time
from tickets.errors import ActionUnknown, TicketError
from tickets.policy import judge_award, judge_instant, judge_ticket
from tickets.ticket import Ticket

VOID_SCOPE = "void"
"""Scope of the keys that let a void happen once per target."""


def question_of(command: Command, user_id: UserId, state: PlayerState | None) -> Question:
    """What must be looked up before a command may be refused or decided again."""
    match command:
        case RedeemTicket(ticket):
            return Question(user_id, state, asked=EntryId(ticket.ticket_id))
        case RecallTicket(ticket_id):
            return Question(user_id, state, asked=EntryId(ticket_id))
        case _:
            key = key_of(command)
            return Question(user_id, state) if key is None else Question(user_id, state, scope=key.scope, key=key.key)


def key_of(command: Command) -> IdempotencyKey | None:
    """The idempotency key that a command claims."""
    match command:
        case RedeemInstant(key=key) | Award(key=key) | AdjustScore(key=key) | SetScore(key=key) | BanPlayer(key=key):
            return key
        case VoidEntry(target=target):
            return IdempotencyKey(VOID_SCOPE, target.entry_id, sha256(target.entry_id.encode()).digest())
        case _:
            return None


def decide(command: Command, state: PlayerState, now_ms: int, catalogue: Catalogue) -> Draft:
    """The draft of a command; raises TicketError or ActorError when it may not be."""
    if state.erased:
        raise PlayerUnknown
    draft = _draft(command, state, now_ms, catalogue)
    if abs(state.score + draft.delta) > MAX_SCORE:
        raise ScoreOutOfRange
    return draft


def _draft(command: Command, state: PlayerState, now_ms: int, catalogue: Catalogue) -> Draft:
    match command:
        case RedeemTicket(ticket, client_time):
            return _redeem(ticket, client_time, state, now_ms, catalogue)
        case RedeemInstant(entry_id, revised, key, client_time):
            _raise(judge_instant(revised.action, state, now_ms))
            told = _told(client_time, None, now_ms)
            return _scoring(state, entry_id, Kind.REDEEM, revised.action.points, revised, meta=told, key=key)
        case RecallTicket():
            raise EntryUnknown
        case Award(entry_id, revised, points, reason, caller, key):
            _raise(judge_award(revised.action, state, now_ms))
            return _scoring(state, entry_id, Kind.AWARD, points, revised, caller, {"reason": reason}, key)
        case AdjustScore(entry_id, delta, reason, caller, key):
            return _scoring(state, entry_id, Kind.ADJUST, delta, None, caller, {"reason": reason}, key)
        case SetScore(entry_id, score, expected, reason, caller, key):
            _expect(expected, state)
            return _scoring(state, entry_id, Kind.ADJUST, score - state.score, None, caller, {"reason": reason}, key)
        case VoidEntry():
            return _void(command, state)
        case BanPlayer(entry_id, until, reason, caller, key):
            if until <= now_ms:
                raise Unchanged
            meta: dict[str, str | int] = {"reason": reason, "until": until}
            return Draft(entry_id, Kind.BAN, 0, until, state.region, state.groups, caller=caller, meta=meta, key=key)
        case UnbanPlayer(entry_id, caller, ended_only):
            if state.banned_until is None or (ended_only and state.is_banned(now_ms)):
                raise Unchanged
            return Draft(entry_id, Kind.UNBAN, 0, None, state.region, state.groups, caller=caller)
        case MoveRegion(entry_id, region, caller):
            return _move(state, entry_id, region, state.groups, caller)
        case JoinGroup(entry_id, group, caller):
            groups = state.groups if group in state.groups else (*state.groups, group)
            if len(groups) > max(MAX_GROUPS, len(state.groups)):
                raise TooManyGroups
            return _move(state, entry_id, state.region, groups, caller)
        case LeaveGroup(entry_id, group, caller):
            return _move(state, entry_id, state.region, tuple(g for g in state.groups if g != group), caller)
        case ErasePlayer(entry_id, caller):
            return Draft(entry_id, Kind.ERASE, 0, ERASED_MS, None, (), caller=caller)
        case _ as unreachable:
            assert_never(unreachable)


def _raise(refusal: TicketError | None) -> None:
    if refusal is not None:
        raise refusal


def _scoring(
    state: PlayerState,
    entry_id: EntryId,
    kind: Kind,
    delta: int,
    revised: Revised | None,
    caller: str | None = None,
    meta: dict[str, str | int] | None = None,
    key: IdempotencyKey | None = None,
) -> Draft:
    return Draft(
        entry_id=entry_id,
        kind=kind,
        delta=delta,
        banned_until=state.banned_until,
        region=state.region,
        groups=state.groups,
        action_id=None if revised is None else revised.action.action_id,
        action_revision=None if revised is None else revised.revision,
        caller=caller,
        meta=meta or {},
        key=key,
    )


def _told(client_time: ClientTime | None, issued_at: int | None, now_ms: int) -> dict[str, str | int]:
    """What an entry records of the client's own time."""
    if client_time is None:
        return {}
    _raise(judge_client_time(client_time, issued_at, now_ms))
    return {"clientAt": client_time.at_ms}


def _move(state: PlayerState, entry_id: EntryId, region: str | None, groups: tuple[str, ...], caller: str) -> Draft:
    if (region, groups) == (state.region, state.groups):
        raise Unchanged
    return Draft(entry_id, Kind.MOVE, 0, state.banned_until, region, groups, caller=caller)


def _expect(expected: Expected, state: PlayerState) -> None:
    if expected is Expected.ABSENT and has_score(state):
        raise ScoreExists
    if expected is Expected.PRESENT and not has_score(state):
        raise EntryUnknown


def has_score(state: PlayerState) -> bool:
    """Whether a score exists: an entry counts on the board `global` that no void has reversed; 0 is a score too."""
    held = {place[0] for place, standing in state.standings.items() if standing is not None}
    return any(board.key in held for board in state.boards if board.board_id == GLOBAL)


def _redeem(
    ticket: Ticket, client_time: ClientTime | None, state: PlayerState, now_ms: int, catalogue: Catalogue
) -> Draft:
    action = catalogue.judged_by(ticket.action_id, ticket.revision)
    if action is None:
        raise ActionUnknown(actionId=ticket.action_id)
    _raise(judge_ticket(ticket, action, state, now_ms))
    meta: dict[str, str | int] = {"issuedAt": ticket.issued_at}
    if ticket.build is not None:
        meta["build"] = ticket.build
    if client_time is not None:
        meta |= _told(client_time, ticket.issued_at, now_ms)
    revised = Revised(action, ticket.revision)
    return _scoring(state, EntryId(ticket.ticket_id), Kind.REDEEM, action.points, revised, meta=meta)


def _void(command: VoidEntry, state: PlayerState) -> Draft:
    target = command.target
    if target.user_id != state.user_id or target.kind not in SCORING:
        raise EntryUnknown
    return Draft(
        entry_id=command.entry_id,
        kind=Kind.VOID,
        delta=-target.delta,
        banned_until=state.banned_until,
        region=target.region,
        groups=target.groups,
        action_id=target.action_id,
        action_revision=target.action_revision,
        effective_at=target.effective_at,
        target_id=target.entry_id,
        caller=command.caller,
        meta={"reason": command.reason},
        key=key_of(command),
    )
