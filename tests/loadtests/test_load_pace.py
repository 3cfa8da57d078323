"""The pace of honest players: what they ask for is never refused."""

from typing import Any

from loadtests.load.pace import DAY_SECONDS, LEEWAY_SECONDS, UNANSWERED_SECONDS, Pace


def action(cooldown: int = 0, limit: int | None = None) -> dict[str, Any]:
    return {"actionId": "a", "cooldownSeconds": cooldown, "dailyLimit": limit}


def test_an_action_waits_for_its_cooldown_and_for_no_other():
    pace, slow = Pace(), action(cooldown=15)
    assert pace.allows(slow, 0)
    pace.begin(slow, 0)
    pace.done(slow, 10)
    assert not pace.allows(slow, 25)
    assert pace.allows(slow, 25 + LEEWAY_SECONDS)
    assert pace.allows(slow | {"actionId": "b"}, 10)


def test_what_was_not_answered_may_still_be_under_way():
    pace = Pace()
    pace.begin(action(), 0)
    assert not pace.allows(action(), UNANSWERED_SECONDS - 1)
    assert pace.allows(action(), UNANSWERED_SECONDS)


def test_a_days_limit_is_kept_whenever_the_day_ends():
    pace, twice = Pace(), action(limit=2)
    times = []
    for now in range(0, int(3 * DAY_SECONDS), 60):
        if pace.allows(twice, now):
            times.append(now)
            pace.begin(twice, now)
            pace.done(twice, now + 1)
    assert len(times) == 6
    assert all(later - earlier >= DAY_SECONDS for earlier, later in zip(times, times[2:], strict=False))


def test_an_answer_that_never_came_counts_against_the_limit():
    pace, once = Pace(), action(limit=1)
    pace.begin(once, 0)
    assert not pace.allows(once, DAY_SECONDS - 1)
    assert pace.allows(once, DAY_SECONDS)
