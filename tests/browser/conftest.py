"""Two pods and one Chromium for all tests of the page."""

import asyncio
import http.client
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.visitor import WAIT_MS, Visitor
from tests.laurel_process import LaurelProcess, until

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A board that stays empty: nobody runs a marathon in a test.
EMPTY_BOARD = """
    INSERT INTO boards (board_id, revision, title, fold, "window", actions, position)
    VALUES ('marathons', 1, 'Marathons', 'best', 'day', ARRAY['marathon'], 9)
"""
TELL = "INSERT INTO control (topic, subject) VALUES ('boards', 'marathons')"

Visit = Callable[..., Visitor]


@pytest.fixture(scope="package")
def site() -> Iterator[LaurelProcess]:
    with LaurelProcess() as laurel:
        laurel.start(pods=2)
        asyncio.run(_add_empty_board(laurel.config()["databaseUrl"]))
        until(lambda: all(b'"marathons"' in _get(url, "/api/v1/boards") for url in laurel.urls))
        yield laurel


@pytest.fixture(scope="package")
def browser(site: LaurelProcess) -> Iterator[Browser]:
    """Never skipped: without a browser nobody has seen the page."""
    if not Path(CHROMIUM).exists():
        pytest.fail(
            f"\n!! There is no Chromium at {CHROMIUM}: the page was NOT tested.\n"
            "!! Install it (Debian: apt-get install chromium) or name one with CHROMIUM=/path/to/chromium",
            pytrace=False,
        )
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(site: LaurelProcess, browser: Browser) -> Iterator[Visit]:
    """Opens windows; at the end none has complained or asked anybody else."""
    visitors: list[Visitor] = []

    def open_window(pod: int = 0, fragment: str = "", **options: Any) -> Visitor:
        visitors.append(Visitor(browser, site.urls[pod], **options))
        return visitors[-1].open(fragment)

    yield open_window
    for visitor in visitors:
        visitor.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
    assert [url for visitor in visitors for url in visitor.outside()] == []


@pytest.fixture(scope="package")
def names() -> Iterator[str]:
    return (f"player-{number}" for number in itertools.count(1))


async def _add_empty_board(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(EMPTY_BOARD)
        await connection.execute(TELL)
    finally:
        await connection.close()


def _get(url: str, path: str) -> bytes:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()
