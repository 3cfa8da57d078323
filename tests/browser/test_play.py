"""Playing in one window, watching in another."""

import re
from collections.abc import Iterator

from playwright.sync_api import expect

from tests.browser.conftest import Visit


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
    player.press("Forage for berries", "Redeem")
    player.expect_outcome("Forage for berries", re.compile(r"Too fast to be true. Redeem it in \d seconds?\."))
    expect(card.locator(".headline")).to_have_text("Ready to redeem")
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


def test_stranger_who_presses_is_led_to_the_form(visit: Visit):
    stranger = visit(0)
    stranger.press("Sprint", "Start")
    expect(stranger.page.get_by_label("Name", exact=True)).to_be_focused()


def test_given_up_ticket_leaves_no_trace(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    player.press("Gather in a group", "Start")
    player.press("Gather in a group", "Give up")
    expect(player.card("Gather in a group").get_by_role("button", name="Start")).to_be_focused()
