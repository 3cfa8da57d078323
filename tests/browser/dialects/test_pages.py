"""Every team's page scores and sees the top change; D's and E's also where pushes and answers get lost."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, WebSocketRoute, expect

from tests.caller import Caller, player
from tests.laurel_process import LaurelProcess, until

PAGES = Path(__file__).parent
WRITES = {"d": "**/api/scores/update", "e": "**/api/score/update"}

Open = Callable[..., Page]


@pytest.fixture
def ann(site: LaurelProcess) -> Iterator[Caller]:
    with player(site) as found:
        yield found


@pytest.fixture
def ben(site: LaurelProcess) -> Iterator[Caller]:
    """Plays on the other pod, without a page."""
    with player(site, pod=1) as found:
        yield found


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    # A page that a test hands to the browser has no address, so Chromium asks whether it may speak to this machine.
    context = browser.new_context(permissions=["local-network-access"])
    yield context
    context.close()


@pytest.fixture
def open_page(site: LaurelProcess, window: BrowserContext, ann: Caller) -> Iterator[Open]:
    """Ann's window on a team's page, which is served from the pod's own origin; no script of it may fail."""
    complaints: list[str] = []

    def open_one(name: str) -> Page:
        window.route("**/teams/*.html", lambda route: route.fulfill(path=PAGES / f"{name}.html"))
        page = window.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{site.urls[0]}/teams/{name}.html#token={ann.token}&user={ann.user_id}")
        return page

    yield open_one
    assert complaints == []


def row_of(caller: Caller, score: int) -> re.Pattern[str]:
    return re.compile(rf"^{caller.user_id} {score}\b")


def expect_row(page: Page, caller: Caller, score: int) -> None:
    expect(page.locator("#top li").filter(has_text=row_of(caller, score))).to_be_visible()


def enough(caller: Caller) -> int:
    """How many sprints bring a new player to the very top."""
    top = caller.http.get("/api/v1/boards/global/top").json()["entries"]
    return (top[0]["score"] if top else 0) // 10 + 1


def climb(page: Page, times: int) -> int:
    """So many sprints by the page's button; the score after them."""
    for number in range(times):
        page.get_by_role("button", name="Do it").click()
        expect(page.locator("#score")).to_have_text(str(10 * (number + 1)))
    return 10 * times


def sprint(caller: Caller, times: int) -> int:
    for _ in range(times):
        assert caller.redeem(caller.issue("sprint")["ticket"]).status_code == 200
    return 10 * times


@pytest.mark.parametrize("name", ["a", "b", "c", "d", "e"])
def test_a_page_scores_and_sees_the_top_change(open_page: Open, ann: Caller, ben: Caller, name: str) -> None:
    page = open_page(name)
    if name in WRITES:
        expect(page.locator("#way")).to_have_text("pushed")
    score = climb(page, enough(ann))
    expect_row(page, ann, score)
    if name == "b":
        expect(page.locator("#pushed")).to_have_text(str(score))
    # Somebody else passes on another pod: it shows without a reload.
    score = sprint(ben, enough(ben))
    expect(page.locator("#top li").first).to_have_text(row_of(ben, score))
    if name in WRITES:
        expect(page.locator("#way")).to_have_text("pushed")


def test_an_own_id_of_b_counts_once(open_page: Open, ann: Caller) -> None:
    page = open_page("b")
    expect(page.locator("#rank")).to_have_text("not ranked")
    page.get_by_role("button", name="Check in").click()
    expect(page.locator("#rank")).to_have_text(re.compile(r"^\d+$"))
    until(lambda: ann.http.get("/api/v1/me").json()["score"] == 20, 5)
    assert ann.http.get("/api/v1/me").json()["userVersion"] == 1


def test_pages_of_c_turn_around(open_page: Open, ann: Caller) -> None:
    page = open_page("c")
    climb(page, enough(ann))
    expect(page.locator("#top li").first).to_contain_text(ann.user_id)
    page.get_by_role("button", name="Turn around").click()
    expect(page.locator("#top li").first).not_to_contain_text(ann.user_id)


@pytest.mark.parametrize("name", ["d", "e"])
def test_without_pushes_a_page_polls(
    open_page: Open, window: BrowserContext, ann: Caller, ben: Caller, name: str
) -> None:
    def refuse(route: WebSocketRoute) -> None:
        route.close(code=1011, reason="blocked")

    window.route_web_socket("**/api/v1/live?*", refuse)
    page = open_page(name)
    expect(page.locator("#way")).to_have_text("polling")
    expect_row(page, ben, sprint(ben, enough(ben)))


@pytest.mark.parametrize("name", ["d", "e"])
def test_failed_calls_are_logged_and_repeated_and_count_once(
    open_page: Open, window: BrowserContext, ann: Caller, name: str
) -> None:
    sent: list[str | None] = []

    def lose(route: Route) -> None:
        """The first answer gets lost on its way, the second is a proxy's."""
        sent.append(route.request.post_data)
        if len(sent) == 1:
            assert route.fetch().status == 200
            route.abort("connectionreset")
        elif len(sent) == 2:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"success": False, "error": "busy"})
        else:
            route.continue_()

    window.route(WRITES[name], lose)
    page = open_page(name)
    assert climb(page, 1) == 10
    expect(page.locator("#failures li")).to_have_count(2)
    assert len(sent) == 3
    assert len(set(sent)) == 1
    own = ann.http.get("/api/v1/me").json()
    assert (own["score"], own["userVersion"]) == (10, 1)
