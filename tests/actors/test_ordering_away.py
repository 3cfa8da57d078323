"""An outage of Redis in the log."""

import pytest

from actors.ordering import Ordering


async def test_an_outage_is_said_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture):
    ordering = Ordering("redis://127.0.0.1:1/0")
    caplog.set_level("INFO", "laurel.ordering")
    ordering.found()
    assert not ordering.away
    for _ in range(3):
        ordering.lost(ConnectionError("refused"))
    assert ordering.away
    assert ordering.found()
    assert not ordering.found()
    assert caplog.messages == ["redis is away: refused", "redis answers again"]
