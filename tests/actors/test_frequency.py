"""How often somebody did something, as one pod does it: the clock is a number."""

from hypothesis import given
from hypothesis import strategies as st

from actors.frequency import MINUTE_MS, Frequency

START = 1_000 * MINUTE_MS


def used(uses: int, at: int = START) -> Frequency:
    found = Frequency(at)
    found.add(uses)
    return found


def test_uses_count_and_may_be_taken_back():
    found = used(3)
    assert found.rate(START) == 3
    found.add(-1)
    assert found.rate(START + 59_999) == 2
    assert found.tell() == 2
    found.add(-1)
    assert (found.tell(), found.rate(START)) == (-1, 1)


def test_the_minute_slides():
    found = used(4)
    for at, rate in ((1.0, 4), (1.25, 3), (1.5, 2)):
        now = int(START + at * MINUTE_MS)
        found.turn(now)
        assert found.rate(now) == rate
    found.add(2)
    assert found.rate(START + 3 * MINUTE_MS // 2) == 4
    assert not found.is_over(START + 3 * MINUTE_MS - 1)
    assert found.is_over(START + 3 * MINUTE_MS)


def test_after_a_pause_everything_is_forgotten():
    found = used(9)
    found.turn(START + 2 * MINUTE_MS)
    assert found.rate(START + 2 * MINUTE_MS) == 0


def test_a_clock_set_back_forgets_nothing():
    found = used(5)
    found.turn(START - 1)
    assert found.rate(START) == 5


def test_what_was_heard_takes_the_place_of_what_was_told():
    found = used(2)
    assert found.tell() == 2
    found.add(1)
    found.heard(found.minute, 7, 0)
    assert found.rate(START) == 8


def test_what_redis_did_not_hear_is_told_again():
    found = used(2)
    assert found.tell() == 2
    assert found.rate(START) == 2
    found.unheard()
    found.add(1)
    assert found.tell() == 3


def test_an_answer_about_the_minute_before_is_too_late():
    found = used(2)
    asked = found.minute
    found.tell()
    found.turn(START + MINUTE_MS)
    found.heard(asked, 50, 50)
    assert found.rate(START + MINUTE_MS) == 2


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=200))
def test_pods_that_talk_know_of_each_other(moves: list[tuple[int, bool]]):
    """What is heard is never more than there was, and after a last word exactly that."""
    pods, counter = [Frequency(START) for _ in range(3)], 0

    def talk(pod: Frequency) -> None:
        nonlocal counter
        counter += pod.tell()
        pod.heard(pod.minute, counter, 0)

    for number, talks in moves:
        pods[number].add(1)
        if talks:
            talk(pods[number])
        assert pods[number].rate(START) <= len(moves)
    for pod in pods * 2:
        talk(pod)
    assert [pod.rate(START) for pod in pods] == [len(moves)] * 3
