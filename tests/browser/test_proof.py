"""Actions with proof of work, in a browser, with ALTCHA's own widget."""

import re
from collections.abc import Iterator

from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import WAIT_MS
from tests.laurel_process import LaurelProcess

VAULT = "Open the vault"
SOLVED = """async (actionId) => {
  const { Laurel } = await import("./web/laurel.js");
  const name = `l${crypto.randomUUID().slice(0, 18)}`;
  const laurel = new Laurel();
  await laurel.register({ username: name, password: "correct horse battery" });
  let longest = 0, last = performance.now(), watching = true;
  const watch = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (watching) setTimeout(watch, 0);
  };
  watch();
  const ticket = await laurel.start(actionId);
  watching = false;
  return [ticket.actionId, longest];
}"""


def test_the_widget_works_while_the_player_plays(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    card = player.card(VAULT)
    widget = card.locator("altcha-widget")
    expect(widget).to_have_count(0)
    with player.page.expect_request(re.compile(r"/api/v1/challenges\?actionId=vault$")):
        player.press(VAULT, "Start")
    expect(card.locator(".headline")).to_have_text("Under way", timeout=WAIT_MS * 2)
    # The proof for the next round is made meanwhile.
    expect(widget.locator(".altcha")).to_have_attribute("data-state", "verified", timeout=WAIT_MS * 2)
    assert player.grave_faults() == []
    expect(card.locator(".headline")).to_have_text("Ready to redeem")
    player.press(VAULT, "Redeem")
    player.expect_outcome(VAULT, "+40")
    sent = []
    player.page.on("request", lambda request: sent.append(request.url.partition("/api/v1/")[2]))
    player.press(VAULT, "Start")
    expect(card.locator(".headline")).to_have_text("Under way")
    assert sent[0] == "tickets"


def test_a_proof_that_is_no_good_any_more_is_made_anew(visit: Visit, names: Iterator[str]):
    player = visit(1).register(next(names))
    card = player.card(VAULT)
    proofs: list[str] = []

    def spoil_the_first(route: Route) -> None:
        body = route.request.post_data_json
        proofs.append(body["proof"])
        route.continue_(post_data=body | {"proof": "spent long ago"} if len(proofs) == 1 else body)

    player.page.route("**/api/v1/tickets", spoil_the_first)
    player.press(VAULT, "Start")
    expect(card.locator(".headline")).to_have_text("Under way", timeout=WAIT_MS * 2)
    assert len(set(proofs)) == 2


def test_a_widget_that_cannot_be_loaded_is_done_without(visit: Visit, names: Iterator[str]):
    player = visit(0).register(next(names))
    player.server_goes_away = True
    held = player.hold("**/altcha.min.js")
    player.press(VAULT, "Start")
    player.expect_outcome(VAULT, "Working out the proof…")
    held.pop().abort()
    headline = player.card(VAULT).locator(".headline")
    expect(headline).to_have_text("Under way", timeout=WAIT_MS * 2)


def test_the_library_solves_without_a_widget_and_without_blocking(visit: Visit):
    visitor = visit(0)
    action, longest_ms = visitor.page.evaluate(SOLVED, "vault")
    assert action == "vault"
    assert longest_ms < 1_000


def test_the_description_of_the_api_is_readable(site: LaurelProcess, visit: Visit):
    visitor = visit(0)
    visitor.page.goto(f"{site.urls[0]}/docs")
    expect(visitor.page.get_by_role("heading", name="Laurel", exact=False).first).to_be_visible()
    expect(visitor.page.get_by_text("/api/v1/tickets/redeem")).to_be_visible()
    assert visitor.grave_faults() == []
