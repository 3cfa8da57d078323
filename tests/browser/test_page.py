"""Tabs, narrow screens, colour schemes, motion and accessibility."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

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
    page.keyboard.press("Tab")
    expect(page.get_by_role("tabpanel")).to_be_focused()
    expect(page.get_by_text("The wreath is waiting")).to_be_visible()


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
