"""Judges a ticket by its action's rules; the time is passed in."""

from models.catalogue import Action
from models.state import DAY_MS, ActionMemory, PlayerState
from tickets.errors import (
    ActionDisabled,
    Cooldown,
    DailyLimit,
    NotInstant,
    PlayerBanned,
    TicketError,
    TicketExpired,
    TicketOverlaps,
    TicketTooEarly,
)
from tickets.ticket import Ticket

CLOCK_LEEWAY_MS = 5_000
"""For a ticket that seems to come from the future, and at its expiry: clocks of pods differ."""
MIN_SECONDS_LEEWAY_MS = 250
"""A player's last frame and the way of the request."""
OVERLAP_LEEWAY_MS = 1_000
"""A ticket that another pod issued right after the redemption may carry an earlier time."""


def judge_ticket(ticket: Ticket, action: Action, state: PlayerState, now_ms: int) -> TicketError | None:
    """Why a ticket may not be redeemed now, or None when it may."""
    return (
        _judge_player(action, state, now_ms)
        or _judge_times(ticket, action, now_ms)
        or _judge_overlap(ticket, action, state.actions.get(ticket.action_id))
        or _judge_pace(action, state.actions.get(ticket.action_id), now_ms)
    )


def judge_instant(action: Action, state: PlayerState, now_ms: int) -> TicketError | None:
    """Why an instant action may not be done now, or None when it may."""
    if refusal := _judge_player(action, state, now_ms):
        return refusal
    if action.ticket != "instant":
        return NotInstant(actionId=action.action_id)
    return _judge_pace(action, state.actions.get(action.action_id), now_ms)


def judge_award(action: Action, state: PlayerState, now_ms: int) -> TicketError | None:
    """Why another server may give no award now, or None when it may: the player's pace is its own matter."""
    return _judge_player(action, state, now_ms)


def _judge_player(action: Action, state: PlayerState, now_ms: int) -> TicketError | None:
    if state.is_banned(now_ms):
        return PlayerBanned()
    return None if action.enabled else ActionDisabled(actionId=action.action_id)


def _judge_times(ticket: Ticket, action: Action, now_ms: int) -> TicketError | None:
    if now_ms > ticket.expires_at + CLOCK_LEEWAY_MS:
        return TicketExpired(expiredMs=now_ms - ticket.expires_at)
    if ticket.issued_at > now_ms + CLOCK_LEEWAY_MS:
        return TicketTooEarly(waitMs=ticket.issued_at - now_ms)
    # One from the future within the leeway counts as issued right now.
    elapsed = max(0, now_ms - ticket.issued_at)
    if elapsed < action.min_seconds * 1000 - MIN_SECONDS_LEEWAY_MS:
        return TicketTooEarly(waitMs=ticket.issued_at + action.min_seconds * 1000 - now_ms)
    return None


def _judge_overlap(ticket: Ticket, action: Action, memory: ActionMemory | None) -> TicketError | None:
    if action.overlap == "allow" or memory is None:
        return None
    # Never more than half the action's duration, or a burst within the leeway would count a whole stockpile.
    leeway = min(OVERLAP_LEEWAY_MS, action.min_seconds * 500)
    return TicketOverlaps() if ticket.issued_at + leeway <= memory.last_at else None


def _judge_pace(action: Action, memory: ActionMemory | None, now_ms: int) -> TicketError | None:
    if memory is None:
        return None
    free_at = memory.last_at + action.cooldown_seconds * 1000
    if now_ms < free_at:
        return Cooldown(waitMs=free_at - now_ms)
    today = now_ms // DAY_MS
    if action.daily_limit is not None and memory.day == today and memory.times >= action.daily_limit:
        return DailyLimit(limit=action.daily_limit, waitMs=(today + 1) * DAY_MS - now_ms)
    return None
