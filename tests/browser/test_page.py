"""Tabs, narrow screens, colour schemes, motion and accessibility."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import PASSWORD, PICTURES
from tests.caller import Caller
from tests.laurel_process import LaurelProcess

ANNOUNCED_MS = 20_000
"""The announcer rests for twelve seconds between two sentences."""
HELD_KEY = """(times) => {
  for (let count = 0; count < times; count += 1)
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
}"""
NARROW = {"width": 360, "height": 740}
COUNT_MOVES = """
  window.moves = 0;
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (...how) { window.moves += 1; return animate.apply(this, how); };
"""
STICKS_OUT = """() => [...document.querySelectorAll("body *")]
  .filter((element) => !element.closest(".tabs, .spoken, .sprite, .skip") && element.checkVisibility())
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([, { left, right }]) => right > innerWidth + 0.5 || left < -0.5)
  .map(([element]) => element.outerHTML.slice(0, 120))"""
LIGHTNESS = """() => {
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
  return (r + g + b) / 765;
}"""


def sideways(page: Page) -> tuple[int, list[str]]:
    """How far the page can be scrolled sideways, and what is cut off."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth"), page.evaluate(STICKS_OUT)


def test_tabs_by_keyboard(visit: Visit):
    page = visit(0).page
    page.get_by_role("tab", name="All time").focus()
    for key, title in (
        ("ArrowRight", "This week"),
        ("End", "Marathons"),
        ("ArrowRight", "All time"),
        ("ArrowLeft", "Marathons"),
    ):
        page.keyboard.press(key)
        chosen = page.get_by_role("tab", name=title)
        expect(chosen).to_be_focused()
        expect(chosen).to_have_attribute("aria-selected", "true")
        expect(page.locator("#board-title")).to_have_text(title)
    expect(page.get_by_role("tab", selected=True)).to_have_count(1)
    assert page.url.endswith("#marathons")
    page.keyboard.press("Control+Home")
    expect(page.get_by_role("tab", name="Marathons")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Tab")
    expect(page.get_by_role("tabpanel")).to_be_focused()
    expect(page.get_by_text("The wreath is waiting")).to_be_visible()


def test_a_key_that_is_held_asks_for_the_board_where_it_rests(visit: Visit):
    visitor = visit(0)
    page = visitor.page
    page.get_by_role("tab", name="All time").focus()
    before = len(visitor.requested)
    page.evaluate(HELD_KEY, 8)  # past the six and on to the third
    expect(page.get_by_role("tab", name="Today")).to_be_focused()
    expect(page.locator("#board-title")).to_have_text("Today")
    visitor.await_live()
    asked = {found[1] for url in visitor.requested[before:] if (found := re.search(r"/boards/(.+)/top", url))}
    assert asked == {"daily"}
    page.get_by_role("tab", name="This week").click()
    expect(page.locator("#board-title")).to_have_text("This week")


def test_the_focus_stays_when_the_list_of_boards_changes(visit: Visit):
    page = visit(0).page

    def with_another(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["boards"].append(body["boards"][0] | {"boardId": "another", "title": "Another"})
        route.fulfill(response=answer, json=body)

    page.route("**/api/v1/boards", with_another)
    page.get_by_role("tab", name="All time").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Another")).to_be_visible()
    expect(page.get_by_role("tab", name="This week")).to_be_focused()


def test_nothing_of_the_last_board_stands_under_the_next(visit: Visit, names: Iterator[str]):
    visitor = visit(0).register(next(names)).check_in()
    page = visitor.page
    expect(page.locator("#board-total")).to_contain_text("player")
    held = visitor.hold("**/api/v1/boards/*/top*")
    page.route_web_socket("**/api/v1/live?*", lambda socket: None)  # opened, and silent
    for title in ("Season", "Today"):
        page.get_by_role("tab", name=title).click()
        expect(page.locator("#board-title")).to_have_text(title)
        expect(page.locator("#rows .row")).to_have_count(0)
        expect(page.locator("#board-total")).to_be_empty()
    expect(page.get_by_text("Between two seasons")).to_be_hidden()
    for route in held:
        route.continue_()


def test_who_comes_into_the_top_or_leaves_it_hears_of_it(site: LaurelProcess, visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names)).check_in()
    user = player.page.request.get(
        f"{player.url}/api/v1/me", headers={"Authorization": f"Bearer {player.token}"}
    ).json()
    announcer = player.page.locator("#announcer")
    expect(announcer).to_contain_text("You are now ", timeout=ANNOUNCED_MS)
    with Caller(site.urls[0], site.mint_admin()[1]) as admin:
        ban = f"/api/v1/admin/users/{user['userId']}/ban"
        assert admin.http.put(ban, json={"reason": "a test"}).status_code == 200
        expect(announcer).to_contain_text("You left the top.", timeout=ANNOUNCED_MS)
        assert admin.http.delete(ban).status_code == 204


def test_the_way_past_the_head_leads_to_the_board_that_is_shown(visit: Visit):
    page = visit(0, "#weekly").page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the board")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tabpanel", name="This week")).to_be_focused()
    page.evaluate("location.hash = 'nowhere'")
    page.get_by_role("tab", name="Today").focus()
    expect(page.get_by_role("tab", selected=True)).to_have_text("This week")
    expect(page.locator("#board-title")).to_have_text("This week")


def test_a_players_picture_is_shown_by_a_browser_of_some_years_ago(visit: Visit, names: Iterator[str]):
    visitor, name = visit(0), next(names)
    account = {"username": name, "password": PASSWORD, "avatarUrl": f"{PICTURES}face.svg"}
    made = visitor.page.request.post(f"{visitor.url}/api/v1/auth/register", data=account)
    visitor.token = made.json()["accessToken"]
    visitor.context.add_init_script("delete URL.canParse;")
    visitor.page.reload()
    visitor.await_live()
    visitor.fill_in("Sign in", name)
    expect(visitor.page.locator("#account .avatar img")).to_be_visible()
    visitor.check_in().await_rows((name, 20))
    expect(visitor.page.locator(".row.own .avatar img")).to_be_visible()
    visitor.page.reload()
    visitor.await_rows((name, 20))


def test_a_row_that_stays_keeps_what_is_selected_in_it(visit: Visit, names: Iterator[str]):
    ann, ben = next(names), next(names)
    first, second = visit(0).register(ann).check_in(), visit(1).register(ben).check_in()
    first.sprint()
    first.await_rows((ann, 30), (ben, 20))
    row = first.page.locator(".row.own .name")
    row.select_text()
    second.press("Cheer for a friend", "Do it")
    first.await_rows((ann, 30), (ben, 21))
    assert first.page.evaluate("getSelection().toString()") == ann
    second.sprint()
    first.await_rows((ben, 31), (ann, 30))  # overtaken: it is the other one that moves
    assert first.page.evaluate("getSelection().toString()") == ann


def test_the_list_of_boards_follows_the_server(site: LaurelProcess, visit: Visit, names: Iterator[str]):
    visitor = visit(0).register(next(names))
    page = visitor.page
    tab, heading = page.get_by_role("tab", name="Cup"), page.locator("#board .period")
    rules: dict[str, Any] = {"title": "Cup", "fold": "sum", "window": "season"}
    with Caller(site.urls[0], site.mint_admin()[1]) as admin:
        assert admin.post("/api/v1/admin/boards", rules | {"boardId": "cup"}).status_code == 201
        expect(tab).to_have_count(0)
        page.get_by_role("tab", name="This week").click()
        tab.click()
        expect(page.get_by_text("Between two seasons")).to_be_visible()
        expect(heading).to_contain_text("No season now")
        now = datetime.now(UTC)
        season = {"id": "spring", "start": now.isoformat(), "end": (now + timedelta(days=3)).isoformat()}
        assert admin.http.put("/api/v1/admin/boards/cup", json=rules | {"season": season}).status_code == 200
        visitor.sprint()
        visitor.await_rows((page.locator("#account .name").inner_text(), 10))
        expect(heading).to_contain_text("ends in 3 d")
        expect(page.locator("#place")).to_be_visible()
        assert admin.http.delete("/api/v1/admin/boards/cup").status_code == 204
    page.get_by_role("tab", name="This month").click()
    expect(tab).to_have_count(0)
    expect(page.locator("#board-title")).to_have_text("This month")


def test_a_list_of_yesterday_gives_way_to_the_board_itself(visit: Visit):
    page = visit(0, "#daily").page
    period = page.locator("#board-period span").first
    today = period.inner_text()
    asked = 0

    def yesterdays_first(route: Route) -> None:
        nonlocal asked
        asked += 1
        answer = route.fetch()
        body = answer.json()
        if asked == 1:
            daily = next(board for board in body["boards"] if board["boardId"] == "daily")
            daily["period"] = {"id": "2020-02-02", "start": "2020-02-02T00:00:00Z", "end": "2020-02-03T00:00:00Z"}
        route.fulfill(response=answer, json=body)

    page.route("**/api/v1/boards", yesterdays_first)
    page.reload()
    expect(period).to_have_text(today)
    expect(page.locator("#board-period")).not_to_contain_text("has ended")
    assert asked == 2


def test_between_two_seasons_no_other_boards_rows_are_shown(visit: Visit, names: Iterator[str]):
    visitor = visit(0).register(next(names)).check_in()
    page = visitor.page
    page.get_by_role("tab", name="Season").click()
    expect(page.get_by_text("Between two seasons")).to_be_visible()
    expect(page.locator("#rows")).to_be_hidden()
    expect(page.locator("#place")).to_be_hidden()
    expect(page.locator("#board-total")).to_be_empty()
    expect(page.locator("#board")).not_to_have_attribute("aria-busy", "true")
    page.get_by_role("tab", name="All time").click()
    visitor.await_rows((page.locator("#account .name").inner_text(), 20))
    expect(page.get_by_text("Between two seasons")).to_be_hidden()
    expect(page.locator("#place")).to_be_visible()


def test_narrow_screen_never_scrolls_sideways(visit: Visit, names: Iterator[str]):
    visitor = visit(0, viewport=NARROW)
    assert sideways(visitor.page) == (0, [])
    visitor.register(next(names), "A name so long that it does not fit on a narrow screen at all")
    visitor.sprint()
    visitor.press("Run the marathon", "Start")
    visitor.check_in().press("Daily check-in", "Do it")
    visitor.expect_outcome("Daily check-in", "That was it for today")
    expect(visitor.page.locator(".leaf")).to_have_count(0)  # they may fly where they like
    assert sideways(visitor.page) == (0, [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colour_scheme_is_the_visitors(visit: Visit, scheme: str):
    lightness = visit(0, color_scheme=scheme).page.evaluate(LIGHTNESS)
    assert lightness > 0.8 if scheme == "light" else lightness < 0.2


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_nothing_moves_when_calm_is_wished(visit: Visit, names: Iterator[str], wish: str):
    visitor, name = visit(1, reduced_motion=wish), next(names)
    visitor.context.add_init_script(COUNT_MOVES)
    visitor.page.reload()
    visitor.await_live()
    visitor.register(name).check_in()
    visitor.await_rows((name, 20))
    visitor.sprint()
    visitor.await_rows((name, 30))
    moves = visitor.page.evaluate("window.moves + document.getAnimations().length")
    assert moves == 0 if wish == "reduce" else moves > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_grave_fault(visit: Visit, names: Iterator[str], scheme: str):
    visitor = visit(1, color_scheme=scheme, reduced_motion="reduce")
    visitor.fill_in("Sign in", "nobody-here")
    expect(visitor.page.locator(".problem")).to_be_visible()
    assert visitor.grave_faults() == []
    visitor.page.get_by_role("tab", name="Marathons").click()
    expect(visitor.page.locator("#empty")).to_be_visible()
    assert visitor.grave_faults() == []
    visitor.page.get_by_role("tab", name="All time").click()
    visitor.register(next(names))
    visitor.sprint()
    visitor.press("Win a duel", "Start")
    visitor.press("Win a duel", "Redeem")
    visitor.expect_outcome("Win a duel", "Too fast")
    visitor.check_in().press("Daily check-in", "Do it")
    visitor.expect_outcome("Daily check-in", "That was it for today")
    assert visitor.grave_faults() == []
    visitor.page.set_viewport_size(NARROW)
    assert visitor.grave_faults() == []
