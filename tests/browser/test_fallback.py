"""No WebSocket, then no events either: the page goes on, and comes back up."""

from collections.abc import Iterator

from playwright.sync_api import Route, WebSocketRoute, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

CLIMB_MS = 75_000
"""A better way is tried after a second, after half a minute and after a minute."""
STATE = "data-state"


class Blockade:
    """What a proxy on the way lets through."""

    def __init__(self, visitor: Visitor) -> None:
        self.sockets = self.events = True
        self.opened: list[str] = []
        visitor.server_goes_away = True
        visitor.context.route_web_socket("**/api/v1/live?*", self._socket)
        visitor.context.route("**/api/v1/live/events?*", self._stream)

    def _socket(self, route: WebSocketRoute) -> None:
        if self.sockets:
            route.close(code=1011, reason="blocked")
        else:
            self.opened.append("websocket")
            route.connect_to_server()

    def _stream(self, route: Route) -> None:
        if self.events:
            route.abort()
        else:
            self.opened.append("events")
            route.continue_()


def test_without_sockets_by_events_without_both_by_asking_and_back(visit: Visit, names: Iterator[str]):
    visitor, scorer = visit(0), visit(1).register(name := next(names))
    pill = visitor.page.locator("#pill")
    blockade = Blockade(visitor)
    visitor.page.reload()
    expect(pill).to_have_attribute(STATE, "polling", timeout=30_000)
    expect(pill).not_to_have_text("Live")
    scorer.sprint()
    visitor.await_rows((name, 10))
    blockade.events = False
    expect(pill).to_have_attribute(STATE, "live", timeout=CLIMB_MS)
    assert blockade.opened == ["events"]
    scorer.sprint()
    visitor.await_rows((name, 20))
    blockade.sockets = False
    visitor.page.reload()
    expect(pill).to_have_attribute(STATE, "live")
    assert blockade.opened == ["events", "websocket"]
    scorer.sprint()
    visitor.await_rows((name, 30))


def test_without_sockets_a_page_is_live_by_events(visit: Visit, names: Iterator[str]):
    visitor, scorer = visit(0), visit(1).register(name := next(names))
    blockade = Blockade(visitor)
    blockade.events = False
    visitor.page.reload()
    visitor.await_live()
    scorer.sprint()
    visitor.await_rows((name, 10))
    assert set(blockade.opened) == {"events"}
