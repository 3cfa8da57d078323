"""A client's own word for when its action happened."""

from msgspec import Struct

from tickets.errors import ClientTimeOff, TicketError

WINDOW_MS = 300_000
"""How far a client's clock may be from ours, either way."""
LEAST_MILLISECONDS = 10**11
"""Smaller numbers are seconds: as such this one lies in the year 5138, as milliseconds in 1973."""


class ClientTime(Struct, frozen=True):
    """A Unix time in milliseconds, and in steps of how many the client counts: 1, or 1000 for seconds."""

    at_ms: int
    step_ms: int


def client_time(number: int) -> ClientTime:
    """The time in a number of seconds or of milliseconds; its size tells which."""
    step = 1 if abs(number) >= LEAST_MILLISECONDS else 1_000
    return ClientTime(number * step, step)


def judge_client_time(time: ClientTime, issued_at: int | None, now_ms: int) -> TicketError | None:
    """Why a client's time cannot be, or None when it can; `issued_at` is the ticket's, if there is one.

    Ours are compared in the client's steps: the second of a ticket is not before the ticket.
    """
    step = time.step_ms
    near = abs(time.at_ms - now_ms // step * step) <= WINDOW_MS
    early = issued_at is not None and time.at_ms < issued_at // step * step
    return None if near and not early else ClientTimeOff()
