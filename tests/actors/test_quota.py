"""Counting uses, as one pod does it: the clock is a number."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.quota import UNASKED, Limit, Tally

MINUTE = Limit("redeem", 120, 60)
SECOND = Limit("redeem", 10, 1)


@dataclass
class Counters:
    """What `spend.lua` does, in memory, for one user."""

    limit: Limit
    used: int = 0
    ends: float = 0.0
    beginnings: list[float] = field(default_factory=list)

    def run(self, told: int, asked: int, now: float) -> tuple[int, int, float]:
        if now >= self.ends:
            self.used = 0
        granted = max(0, min(asked, self.limit.quota - self.used - told))
        if self.used == 0 and told + granted > 0:
            self.ends = now + self.limit.window_seconds
            self.beginnings.append(now)
        self.used += told + granted
        left = self.ends - now if self.used else float(self.limit.window_seconds)
        return granted, self.used, left


class Pod:
    def __init__(self, limit: Limit, counters: Counters) -> None:
        self.tally = Tally(limit, 0.0)
        self.counters = counters

    def spend(self, now: float) -> bool:
        allowed = self.tally.spend(now, alone=False)
        return bool(self.talk(now, 1)) if allowed is None else allowed

    def talk(self, now: float, asked: int = 0) -> int:
        granted, used, left = self.counters.run(self.tally.tell(), asked, now)
        self.tally.heard(granted, used, left, now)
        return granted


def test_one_pod_grants_what_there_is_and_no_more():
    pod = Pod(MINUTE, Counters(MINUTE))
    assert sum(pod.spend(number / 100) for number in range(1_000)) == 120
    verdict = pod.tally.verdict(False, 10.0, alone=False)
    assert (verdict.left, verdict.seconds) == (0, pytest.approx(50, abs=0.1))
    assert sum(pod.spend(60.5 + number / 100) for number in range(1_000)) == 120


def test_what_is_left_goes_down_by_one():
    pod = Pod(MINUTE, Counters(MINUTE))
    lefts = []
    for number in range(120):
        assert pod.spend(number / 10)
        lefts.append(pod.tally.verdict(True, number / 10, alone=False).left)
    assert lefts == list(range(119, -1, -1))


def test_a_refusal_asks_nobody():
    counters = Counters(SECOND)
    pod = Pod(SECOND, counters)
    for _ in range(11):
        pod.spend(0.0)
    counters.used = 0  # would grant again
    assert pod.tally.spend(0.9, alone=False) is False
    assert pod.tally.spend(1.0, alone=False) is None


def test_alone_a_pod_grants_the_whole_quota_once_a_window():
    tally = Tally(SECOND, 0.0)
    assert sum(bool(tally.spend(number / 100, alone=True)) for number in range(100)) == 10
    assert tally.verdict(False, 0.99, alone=True).left == 0
    assert sum(bool(tally.spend(1 + number / 100, alone=True)) for number in range(100)) == 10


def test_what_redis_did_not_hear_is_told_again():
    tally = Tally(MINUTE, 0.0)
    assert tally.spend(0.0, alone=False)
    assert tally.tell() == 1
    assert tally.spend(0.1, alone=False)  # while it is being told
    tally.unheard()
    assert tally.spend(1.0, alone=True)
    assert tally.tell() == 3


def test_uses_of_a_window_that_is_over_are_not_told():
    tally = Tally(MINUTE, 0.0)
    assert tally.spend(0.0, alone=True)
    assert tally.spend(60.0, alone=True)
    assert tally.tell() == 1
    assert not tally.is_over(119.9)
    assert tally.is_over(120.0)


steps = st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.floats(0, 0.4)), max_size=400)


@given(steps, st.sampled_from([MINUTE, Limit("tickets", 60, 1), SECOND, Limit("reads", 600, 1), Limit("one", 1, 1)]))
def test_pods_together_stay_within_the_quota(moves: list[tuple[int, bool, float]], limit: Limit):
    """However uses are spread over three pods and however late these talk, at most 2 of 60 are too many."""
    counters = Counters(limit)
    pods = [Pod(limit, counters) for _ in range(3)]
    now, granted = 0.0, 0
    for number, talks, pause in moves:
        now += pause * limit.window_seconds / 40
        granted += pods[number].spend(now)
        if talks:
            pods[number].talk(now)
    for pod in pods:
        pod.talk(now)
    windows = len(counters.beginnings)
    assert granted <= windows * (limit.quota + 2 * (limit.quota // UNASKED))
    if windows <= 1:
        assert granted >= min(len(moves), limit.quota)
