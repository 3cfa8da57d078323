"""Playing in one window, watching in another."""

import re
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitor import PASSWORD

WRITTEN = """(element) => new Promise((resolve) => {
  let count = 0;
  const observer = new MutationObserver((changes) => { count += changes.length; });
  observer.observe(element, { childList: true, characterData: true, subtree: true });
  setTimeout(() => resolve(count), 500);
})"""
"""How often an element's words are written in half a second."""
SECOND_CLICK_MS = 150
"""Between press and release: the second click comes when the first has been answered."""


def test_two_windows_on_two_pods_show_the_same_order(visit: Visit, names: Iterator[str]):
    ann, ben = next(names), next(names)
    first, second = visit(0).register(ann).check_in(), visit(1).register(ben).check_in()
    first.sprint()
    second.sprint()
    for window in (first, second):
        window.await_rows((ann, 30), (ben, 30))  # who reached it first stands first
    second.press("Cheer for a friend", "Do it")
    second.expect_outcome("Cheer for a friend", re.compile(r"\+1\b.*now 31 points"))
    for window in (first, second):
        window.await_rows((ben, 31), (ann, 30))
    expect(second.page.locator(".row.own .user")).to_have_text(f"you@{ben}")
    expect(first.page.locator(".row.own .user")).to_have_text(f"you@{ann}")
    expect(first.page.locator("#place")).to_contain_text("Your place")


def test_action_with_a_minimum_time_counts_when_it_is_over(visit: Visit, names: Iterator[str]):
    name = next(names)
    player, watcher = visit(0).register(name).check_in(), visit(1)
    player.press("Forage for berries", "Start")
    card = player.card("Forage for berries")
    expect(card.locator(".headline")).to_have_text("Under way")
    expect(card.locator(".ring-text")).to_have_text(re.compile("0:0[01]"))
    expect(card.locator(".hint")).to_have_text(re.compile(r"redeemable in \d s"))
    player.press("Forage for berries", "Redeem")
    player.expect_outcome("Forage for berries", re.compile(r"Too fast to be true. Redeem it in \d seconds?\."))
    expect(card.locator(".headline")).to_have_text("Ready to redeem")
    expect(card.locator(".ring-text")).to_have_text(re.compile(r"0:0\d"))
    expect(card.locator(".hint")).to_have_text(re.compile(r"expires in \d+ (min|s)"))
    player.press("Forage for berries", "Redeem")
    player.expect_outcome("Forage for berries", re.compile(r"\+5\b.*now 25 points"))
    for window in (player, watcher):
        window.await_rows((name, 25))


def test_refusals_are_explained_in_words(visit: Visit, names: Iterator[str]):
    player = visit(1).register(next(names)).check_in()
    player.press("Daily check-in", "Do it")
    player.expect_outcome(
        "Daily check-in", re.compile(r"That was it for today: 1 time a day\. Again in \d+ (hour|minute|second)")
    )
    player.press("Cheer for a friend", "Do it")
    player.expect_outcome("Cheer for a friend", "+1")
    player.card("Cheer for a friend").get_by_role("button").first.click()
    player.expect_outcome("Cheer for a friend", re.compile(r"Take a breath: again in \d seconds?\."))


def test_stranger_who_presses_is_told_to_create_an_account(visit: Visit, names: Iterator[str]):
    stranger = visit(0)
    name, password = stranger.page.get_by_label("Name", exact=True), stranger.page.get_by_label("Password", exact=True)
    expect(name).to_have_accessible_description("")
    stranger.press("Sprint", "Start")
    expect(name).to_be_focused()
    expect(name).to_have_accessible_description("Up to 64 letters, digits and . _ @ + -")
    expect(password).to_have_accessible_description("At least 8 characters")
    expect(stranger.page.get_by_role("status").filter(has_text="To play, create an account")).to_be_visible()
    assert stranger.grave_faults() == []
    name.fill(next(names))
    password.fill(PASSWORD)
    password.press("Enter")
    expect(stranger.page.locator("#account")).to_be_visible()


def test_a_double_click_is_one_click(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    card = player.card("Daily check-in")
    card.get_by_role("button", name="Do it").click(click_count=2, delay=SECOND_CLICK_MS)
    player.sprint()
    player.expect_outcome("Daily check-in", "+20")
    assert len([url for url in player.requested if url.endswith("/redeem")]) == 2


def test_what_takes_long_is_told_as_it_is(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    held = player.hold("**/api/v1/tickets")
    player.press("Sprint", "Start")
    player.expect_outcome("Sprint", "The server is slow to answer.")
    held.pop().continue_()
    expect(player.card("Sprint").locator(".headline")).to_have_text("Ready to redeem")
    refusal: dict[str, Any] = {"status": 429, "headers": {"Retry-After": "4"}, "json": {"code": "rate_limited"}}
    player.page.route("**/api/v1/tickets/redeem", lambda route: route.fulfill(**refusal), times=1)
    player.press("Sprint", "Redeem")
    player.expect_outcome("Sprint", "This takes longer than usual. Still trying; it can only count once.")
    player.expect_outcome("Sprint", "+10")


def test_the_next_players_score_is_shown_though_it_is_the_last_ones(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    for last in (False, True):
        player.press("Cheer for a friend", "Do it")
        player.expect_outcome("Cheer for a friend", re.compile(r"\+1 point, now 1 point\b"))
        expect(player.page.locator("#place .number")).to_have_text("1")
        if not last:
            player.page.get_by_role("button", name="Sign out").click()
            player.register(next(names))
            expect(player.page.locator("#place")).to_contain_text("not on this board yet")


def test_what_one_pressed_is_not_done_as_the_next(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    busy: dict[str, Any] = {"status": 503, "headers": {"Retry-After": "2"}, "json": {"code": "busy"}}
    player.page.route("**/api/v1/tickets/redeem", lambda route: route.fulfill(**busy), times=1)
    with player.page.expect_response("**/api/v1/tickets/redeem"):
        player.press("Daily check-in", "Do it")
    player.page.get_by_role("button", name="Sign out").click()
    player.register(next(names))
    expect(player.card("Daily check-in").get_by_role("button", name="Do it")).to_be_enabled()
    player.check_in()
    assert len([url for url in player.requested if url.endswith("/redeem")]) == 2


def test_words_that_stay_are_not_written_again(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    player.press("Sprint", "Start")
    expect(player.card("Sprint").locator(".headline")).to_have_text("Ready to redeem")
    assert player.card("Sprint").locator(".headline").evaluate(WRITTEN) == 0


def test_given_up_ticket_leaves_no_trace(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    player.press("Gather in a group", "Start")
    player.press("Gather in a group", "Give up")
    expect(player.card("Gather in a group").get_by_role("button", name="Start")).to_be_focused()
