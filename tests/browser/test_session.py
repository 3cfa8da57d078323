"""Signing in, and staying so over a reload."""

import re
from collections.abc import Iterator

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

NOTHING_STORED = """
    const refuse = () => { throw new DOMException("denied", "SecurityError"); };
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get: refuse });
    window.BroadcastChannel = class { constructor() { refuse(); } };
    navigator.locks.request = async () => refuse();
"""
"""What browsers do for a page that is to store nothing: all of it in Firefox, the locks in Chromium too."""


def expect_problem(visitor: Visitor, words: str) -> None:
    expect(visitor.page.locator("#session .problem")).to_have_text(words)


def test_wrong_password_and_taken_name_are_explained(visit: Visit, names: Iterator[str]):
    name = next(names)
    visit(0).register(name)
    other = visit(1)
    other.fill_in("Sign in", name, "not the password")
    expect_problem(other, "That name and password don’t belong together.")
    other.fill_in("New here", name)
    expect_problem(other, "That name is taken. Choose another, or sign in if it is yours.")
    other.fill_in("New here", "two words")
    expect_problem(other, "A name has up to 64 letters, digits and . _ @ + -")
    other.fill_in("New here", next(names), "short")
    expect_problem(other, "The password needs at least 8 characters.")
    other.fill_in("Sign in", name)
    expect(other.page.locator("#account .name")).to_have_text(name)


def test_reload_keeps_session_and_running_ticket(visit: Visit, names: Iterator[str]):
    name = next(names)
    player = visit(0).register(name, "Morning Star")
    player.press("Forage for berries", "Start")
    card = player.card("Forage for berries")
    expect(card.locator(".headline")).to_have_text("Under way")
    player.page.reload()
    player.await_live()
    expect(player.page.locator("#account .name")).to_have_text("Morning Star")
    expect(card.locator(".headline")).to_have_text(re.compile("Under way|Ready"))
    expect(card.locator(".headline")).to_have_text("Ready to redeem")
    player.press("Forage for berries", "Redeem")
    player.expect_outcome("Forage for berries", "+5")


def test_a_session_that_is_kept_keeps_its_ticket(visit: Visit, names: Iterator[str]):
    player = visit(0)
    player.page.get_by_label("Keep me signed in").check()
    player.register(next(names)).press("Run the marathon", "Start")
    headline = ".action.under-way .headline"
    expect(player.page.locator(headline)).to_have_text("Under way")
    address = player.page.url
    player.page.close()
    again = player.new_page()
    again.goto(address)
    expect(again.locator(headline)).to_have_text("Under way")
    again.get_by_role("button", name="Sign out").click()
    expect(again.locator("#session")).to_be_visible()
    assert again.evaluate("localStorage.length") == 0


def test_a_browser_that_is_to_store_nothing_plays_all_the_same(visit: Visit, names: Iterator[str]):
    player = visit(0)
    player.page.add_init_script(NOTHING_STORED)
    player.page.reload()
    player.await_live()
    player.register(next(names)).sprint()
    expired = {"status": 401, "json": {"code": "token_expired"}}
    player.page.route("**/api/v1/tickets", lambda route: route.fulfill(**expired), times=1)
    with player.page.expect_response("**/api/v1/auth/refresh") as renewed:
        player.press("Sprint", "Start")
    assert renewed.value.status == 200
    expect(player.card("Sprint").locator(".headline")).to_have_text("Ready to redeem")


def test_who_presses_when_the_session_has_ended_is_told_so(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    token = player.page.evaluate(STORED)["accessToken"]
    ended = player.page.request.post(f"{player.url}/api/v1/auth/logout", headers={"Authorization": f"Bearer {token}"})
    assert ended.status == 204
    player.press("Sprint", "Start")
    player.expect_outcome("Sprint", "Your session has ended. Please sign in again.")
    expect(player.page.locator("#account")).to_be_hidden()


def test_who_signs_in_or_out_is_told_so(visit: Visit, names: Iterator[str]):
    page = visit(0).register(next(names), "Evening Star").page
    title, told = page.get_by_role("heading", name="Play", exact=True), page.locator("#announcer")
    expect(title).to_be_focused()
    expect(told).to_have_text("Signed in as Evening Star.")
    page.get_by_role("button", name="Sign out").click()
    expect(title).to_be_focused()
    expect(told).to_have_text("Signed out.")


def test_signing_out_reaches_the_other_tab(visit: Visit, names: Iterator[str]):
    name = next(names)
    player = visit(0)
    player.page.get_by_label("Keep me signed in").check()
    player.register(name)
    other = player.new_page()
    other.goto(player.page.url)
    expect(other.locator("#account .name")).to_have_text(name)
    other.get_by_role("button", name="Sign out").click()
    expect(player.page.locator("#session")).to_be_visible()
    expect(player.page.locator("#account")).to_be_hidden()


STORED = "JSON.parse(sessionStorage.getItem('laurel.session'))"
ENDING = """() => {
  const tokens = JSON.parse(sessionStorage.getItem('laurel.session'));
  sessionStorage.setItem('laurel.session', JSON.stringify({...tokens, expiresAtMs: Date.now()}));
}"""


def test_a_session_is_renewed_in_time_and_ends_on_the_server(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    before = player.page.evaluate(STORED)
    player.page.evaluate(ENDING)
    with player.page.expect_response("**/api/v1/auth/refresh") as renewed:
        player.page.reload()
    assert renewed.value.status == 200
    player.await_live()
    player.sprint()
    after = player.page.evaluate(STORED)
    assert after["accessToken"] != before["accessToken"]
    assert after["refreshToken"] != before["refreshToken"]
    with player.page.expect_response("**/api/v1/auth/logout") as ended:
        player.page.get_by_role("button", name="Sign out").click()
    assert ended.value.status == 204
    assert player.page.evaluate("sessionStorage.getItem('laurel.session')") is None
    for token in (before, after):
        answer = player.page.request.get(
            f"{player.url}/api/v1/me", headers={"Authorization": f"Bearer {token['accessToken']}"}
        )
        assert answer.status == 401


def test_a_duplicated_tab_and_its_original_both_stay_signed_in(visit: Visit, names: Iterator[str]):
    player = visit(0).register(name := next(names))
    with player.page.expect_popup() as opened:
        player.page.evaluate("window.open(location.href)")  # as a duplicated tab: with a copy of its storage
    copy = opened.value
    expect(copy.locator("#account .name")).to_have_text(name)
    renewals: list[int] = []
    for page in (player.page, copy):
        page.on("response", lambda answer: renewals.append(answer.status) if "/auth/refresh" in answer.url else None)
    for turns, (first, second) in enumerate(((player.page, copy), (copy, player.page)), start=1):
        for page in (first, second):
            page.evaluate(ENDING)
            page.reload()
            expect(page.locator("#account .name")).to_have_text(name)
        assert first.evaluate(STORED)["accessToken"] == second.evaluate(STORED)["accessToken"]
        assert renewals == [200] * turns
    for page in (player.page, copy):  # at once
        page.evaluate(ENDING)
    for page in (player.page, copy):
        page.evaluate("setTimeout(() => location.reload())")
    for page in (player.page, copy):
        page.wait_for_function(f"() => {STORED}?.expiresAtMs > Date.now() + 60_000")
        expect(page.locator("#account .name")).to_have_text(name)
    assert renewals == [200] * 3
    player.sprint()
