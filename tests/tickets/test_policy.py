"""Every rule of an action, to the millisecond."""

import pytest

from models.catalogue import Action
from models.ids import ActionId, TicketId, UserId
from models.state import DAY_MS, ActionMemory, PlayerState
from tickets.policy import judge_instant, judge_ticket
from tickets.ticket import Ticket

RUN = ActionId("run")
USER = UserId("11111111-1111-4111-8111-111111111111")
START = 20_000 * DAY_MS + 3_600_000
"""An hour after a UTC midnight."""


def action(**rules: object) -> Action:
    return Action(**({"action_id": RUN, "title": "Run", "points": 10, "overlap": "allow"} | rules))


def ticket(issued_at: int = START, seconds: int = 3600) -> Ticket:
    return Ticket(TicketId("t"), USER, RUN, 1, issued_at, issued_at + seconds * 1000)


def state(last_at: int | None = None, count: int = 1, banned_until: int | None = None) -> PlayerState:
    found = PlayerState(USER, banned_until=banned_until)
    if last_at is not None:
        found.actions[RUN] = ActionMemory(last_at, last_at // DAY_MS, count)
    return found


def judged(now: int, rules: Action | None = None, player: PlayerState | None = None, given: Ticket | None = None):
    refusal = judge_ticket(given or ticket(), rules or action(), player or state(), now)
    return None if refusal is None else (refusal.code, refusal.facts)


def code(*args: object, **kwargs: object) -> str | None:
    found = judged(*args, **kwargs)
    return found and found[0]


def test_a_plain_ticket_is_fine_from_its_start():
    assert judged(START) is None


@pytest.mark.parametrize(("after_expiry", "expected"), [(0, None), (5_000, None), (5_001, "ticket_expired")])
def test_expiry_has_five_seconds_of_leeway(after_expiry: int, expected: str | None):
    assert code(START + 3_600_000 + after_expiry) == expected


def test_an_expired_ticket_says_since_when():
    assert judged(START + 3_606_000) == ("ticket_expired", {"expiredMs": 6_000})


@pytest.mark.parametrize(("ahead", "expected"), [(5_000, None), (5_001, "ticket_too_early")])
def test_a_ticket_from_the_future_has_five_seconds_of_leeway(ahead: int, expected: str | None):
    assert code(START - ahead) == expected


def test_a_ticket_from_the_future_says_how_long_to_wait():
    assert judged(START - 7_000) == ("ticket_too_early", {"waitMs": 7_000})


@pytest.mark.parametrize(
    ("after", "expected"), [(9_749, "ticket_too_early"), (9_750, None), (10_000, None), (0, "ticket_too_early")]
)
def test_min_seconds_has_a_quarter_of_a_second_of_leeway(after: int, expected: str | None):
    assert code(START + after, action(min_seconds=10)) == expected


def test_too_early_says_how_long_to_wait_without_the_leeway():
    assert judged(START + 4_000, action(min_seconds=10)) == ("ticket_too_early", {"waitMs": 6_000})


@pytest.mark.parametrize(
    ("min_seconds", "issued_before_last", "expected"),
    [
        (10, 999, None),
        (10, 1_000, "ticket_overlaps"),
        (1, 499, None),
        (1, 500, "ticket_overlaps"),
        (0, 0, "ticket_overlaps"),
        (0, -1, None),
        (10, -1, None),
    ],
)
def test_overlap_has_a_second_of_leeway_or_half_the_action(
    min_seconds: int, issued_before_last: int, expected: str | None
):
    rules = action(overlap="forbid", min_seconds=min_seconds)
    player = state(START + issued_before_last)
    assert code(START + 60_000, rules, player) == expected
    assert code(START + 60_000, action(min_seconds=min_seconds), player) is None


def test_overlap_needs_a_redemption_of_that_action():
    rules = action(overlap="forbid")
    other = state()
    other.actions[ActionId("swim")] = ActionMemory(START + 5_000, START // DAY_MS, 1)
    assert code(START + 60_000, rules) is None
    assert code(START + 60_000, rules, other) is None


@pytest.mark.parametrize(("after", "expected"), [(0, "cooldown"), (29_999, "cooldown"), (30_000, None)])
def test_cooldown_has_no_leeway(after: int, expected: str | None):
    assert code(START + after, action(cooldown_seconds=30), state(START)) == expected


def test_cooldown_says_how_long_to_wait():
    assert judged(START + 1, action(cooldown_seconds=30), state(START)) == ("cooldown", {"waitMs": 29_999})


@pytest.mark.parametrize(("count", "expected"), [(1, None), (2, None), (3, "daily_limit"), (4, "daily_limit")])
def test_daily_limit_counts_redemptions(count: int, expected: str | None):
    assert code(START + 1, action(daily_limit=3), state(START, count)) == expected


def test_daily_limit_ends_at_midnight_utc():
    rules, player = action(daily_limit=1), state(START)
    midnight = (START // DAY_MS + 1) * DAY_MS
    day_long = ticket(seconds=2 * 86_400)
    assert judged(midnight - 1, rules, player, day_long) == ("daily_limit", {"limit": 1, "waitMs": 1})
    assert code(midnight, rules, player, day_long) is None


def test_a_ban_comes_first_and_ends_on_the_millisecond():
    player = state(START, banned_until=START + 10)
    assert code(START + 9, action(enabled=False, cooldown_seconds=30), player) == "player_banned"
    assert code(START + 10, action(), player) is None


def test_a_disabled_action_is_named():
    assert judged(START, action(enabled=False)) == ("action_disabled", {"actionId": "run"})


def test_the_order_of_refusals_is_fixed():
    rules = action(overlap="forbid", cooldown_seconds=60, daily_limit=1, min_seconds=10)
    player = state(START + 20_000)
    assert code(START + 4_000_000, rules, player) == "ticket_expired"
    assert code(START + 1_000, rules, player) == "ticket_too_early"
    assert code(START + 30_000, rules, player) == "ticket_overlaps"
    later = ticket(START + 21_000)
    assert code(START + 35_000, rules, player, later) == "cooldown"
    assert code(START + 90_000, rules, player, later) == "daily_limit"


def test_an_instant_action_knows_only_the_player_and_the_pace():
    rules = action(ticket="instant", cooldown_seconds=5, daily_limit=2, min_seconds=10, overlap="forbid")

    def instant(now: int, player: PlayerState, judged_by: Action = rules) -> str | None:
        refusal = judge_instant(judged_by, player, now)
        return None if refusal is None else refusal.code

    assert instant(START, state()) is None
    assert instant(START + 4_999, state(START)) == "cooldown"
    assert instant(START + 5_000, state(START)) is None
    assert instant(START + 5_000, state(START, 2)) == "daily_limit"
    assert instant(START, state(banned_until=START + 1)) == "player_banned"
    assert instant(START, state(), action(enabled=False)) == "action_disabled"
    assert instant(START, state(), action()) == "conflict"
