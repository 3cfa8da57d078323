"""No WebSocket, then no events either: the page goes on, and comes back up without a reload. So does one that slept."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.gate import Gate
from tests.browser.visitor import Visitor
from tests.laurel_process import LaurelProcess, until

STATE = "data-state"
PATIENCE_MS = 30_000
NETWORK_IS_BACK = "window.dispatchEvent(new Event('online'))"


@pytest.fixture
def gate(site: LaurelProcess) -> Iterator[Gate]:
    with Gate(urlsplit(site.urls[0]).port or 0) as gate:
        yield gate


@pytest.fixture
def behind(browser: Browser, gate: Gate) -> Iterator[Visitor]:
    """A window behind the gate; what it says of lost connections is expected."""
    visitor = Visitor(browser, gate.url)
    visitor.server_goes_away = True
    yield visitor.open()
    visitor.close()
    assert visitor.complaints == []
    assert list(visitor.outside()) == []


def test_each_way_that_is_blocked_is_left_for_the_next_and_taken_again(
    behind: Visitor, gate: Gate, visit: Visit, names: Iterator[str]
):
    scorer, pill = visit(1).register(name := next(names)), behind.page.locator("#pill")
    scorer.sprint()
    behind.await_rows((name, 10))
    assert set(gate.seen) == {"websocket"}
    gate.shut("websocket")
    until(lambda: gate.seen[-1] == "events")
    expect(pill).to_have_attribute(STATE, "live", timeout=PATIENCE_MS)
    scorer.sprint()
    behind.await_rows((name, 20))
    gate.shut("events")
    expect(pill).to_have_attribute(STATE, "polling", timeout=PATIENCE_MS)
    expect(pill).not_to_have_text("Live")
    scorer.sprint()
    behind.await_rows((name, 30))
    gate.open("websocket", "events")
    behind.page.evaluate(NETWORK_IS_BACK)
    expect(pill).to_have_attribute(STATE, "live", timeout=PATIENCE_MS)
    assert gate.seen[-1] == "websocket"
    scorer.sprint()
    behind.await_rows((name, 40))


def test_a_tab_that_slept_catches_up(behind: Visitor, gate: Gate, visit: Visit, names: Iterator[str]):
    scorer = visit(1).register(name := next(names))
    scorer.sprint()
    behind.await_rows((name, 10))
    devtools = behind.context.new_cdp_session(behind.page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    gate.cut()
    scorer.sprint()
    scorer.sprint()
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    behind.await_rows((name, 30))
    behind.await_live()
