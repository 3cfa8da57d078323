"""States of idle players are packed once they are written down, and wake up as they were."""

from actors.messages import RedeemTicket
from actors.users import REST_AFTER_SECONDS
from models.ids import UserId
from tests.pods import Pod

POINTS = 10
WHILE_SECONDS = REST_AFTER_SECONDS + 1


async def redeem(pod: Pod, user: UserId) -> tuple[int, int]:
    """Score and version after it."""
    entry = (await pod.tell(user, RedeemTicket(pod.ticket(user, "run")))).entry
    return entry.score_after, entry.user_version


async def test_who_has_done_nothing_for_a_while_is_packed_and_wakes_up_as_before(pod: Pod, user: UserId):
    assert await redeem(pod, user) == (POINTS, 1)
    await pod.settler.flush()
    pod.users._rest(pod.users.monotonic())
    before = pod.state_of(user)
    assert before is not None
    pod.users._rest(pod.users.monotonic() + WHILE_SECONDS)
    assert pod.state_of(user) is None
    assert pod.users.sample(2) == [before]
    assert await redeem(pod, user) == (2 * POINTS, 2)


async def test_what_is_not_written_down_yet_is_packed_later(pod: Pod, user: UserId):
    await redeem(pod, user)
    later = pod.users.monotonic() + WHILE_SECONDS
    pod.users._rest(later)
    assert pod.state_of(user) is not None
    await pod.settler.flush()
    pod.users._rest(later)
    assert pod.state_of(user) is not None
    pod.users._rest(later + WHILE_SECONDS)
    assert pod.state_of(user) is None
    assert await redeem(pod, user) == (2 * POINTS, 2)
