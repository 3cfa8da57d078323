"""A pod goes away; the page comes back by itself."""

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from tests.browser.conftest import Visit
from tests.browser.visitor import RETURN_MS
from tests.laurel_process import LaurelProcess, until


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_page_recovers_when_its_pod_comes_back(
    site: LaurelProcess, visit: Visit, names: Iterator[str], number: signal.Signals
):
    ann, ben = next(names), next(names)
    player, survivor = visit(0).register(ann).check_in(), visit(1).register(ben).check_in()
    player.server_goes_away = True
    for visitor in (player, survivor):
        visitor.sprint()  # above the players of other tests
    player.sprint()
    player.press("Sprint", "Start")
    player.card("Sprint").get_by_role("button", name="Redeem").wait_for()  # the ticket has come
    pid = site.pods()[0]
    os.kill(pid, number)
    # A pod that is back at once may not show in the pill at all; what counts is that the page follows the new one.
    until(lambda: not psutil.pid_exists(pid))
    survivor.sprint()
    survivor.press("Cheer for a friend", "Do it")
    survivor.await_rows((ben, 41), (ann, 40))
    site.await_ready()  # how long a pod takes to start is the machine's business
    player.await_rows((ben, 41), (ann, 40), timeout_ms=RETURN_MS)
    player.await_live()
    assert not psutil.pid_exists(pid)
    player.press("Sprint", "Redeem")
    for window in (player, survivor):
        window.await_rows((ann, 50), (ben, 41))
