"""The README's pictures, taken from a running demo: `python -m loadtests.pictures --url URL`."""

import argparse
import base64
import io
import os
import secrets
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

FOLDER = Path(__file__).parent.parent / "pictures"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars")
DESKTOP = {"width": 1280, "height": 980}
PHONE = {"width": 390, "height": 844}
CLIP = {"width": 720, "height": 940}
SPRINTS = 60  # at most, until the player stands in the top
GOAL_RANK = 6
FILMED_SECONDS = 40.0
CLIP_SECONDS = 7.0  # the liveliest of them
FRAME_SECONDS = 0.08
CLIP_QUALITY = 60
LOOP_PAUSE_MS = 1_500
WATCH_RANKS = """() => {
  window.moves = [];
  new MutationObserver((changes) => window.moves.push(...changes.map(() => Date.now() / 1000)))
    .observe(document.querySelector("#rows"), { subtree: true, attributeFilter: ["data-rank"] });
}"""
CHANGED = """() => document.querySelectorAll(".mark.up:not(:empty)").length >= 1
  && document.querySelector(".row.leaving, .gain") === null
  && document.getAnimations().every(({ id }) => id !== "glide")"""


def press(page: Page, title: str, button: str) -> None:
    card = page.locator(".action", has=page.get_by_role("heading", name=title, exact=True))
    card.get_by_role("button", name=button).click()


def await_live(page: Page) -> None:
    page.wait_for_selector("#pill[data-state=live]")
    page.wait_for_selector("#rows .row >> nth=9")


def register(page: Page, name: str, display_name: str) -> None:
    form = page.locator("#session")
    form.get_by_text("New here", exact=True).click()
    form.get_by_label("Name", exact=True).fill(name)
    form.get_by_label("Shown as").fill(display_name)
    form.get_by_label("Password").fill(secrets.token_urlsafe(18))
    form.locator("[type=submit]").click()
    page.wait_for_selector("#account .name")


def climb(page: Page) -> None:
    """Sprints until the player stands well in the top."""
    for _ in range(SPRINTS):
        press(page, "Sprint", "Start")
        press(page, "Sprint", "Redeem")
        page.locator(".action", has_text="Sprint").get_by_role("button", name="Start").wait_for()
        own = page.locator(".row.own")
        if own.count() and int(own.get_attribute("data-rank") or 99) <= GOAL_RANK:
            return


def seated(browser: Browser, url: str) -> Any:
    """The storage of a signed-in player who stands in the top; a session lives in its tab, or kept, on its device."""
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(url)
    await_live(page)
    page.get_by_label("Keep me signed in").check()
    register(page, f"wren-{secrets.randbelow(900) + 100}", "Wren Song")
    climb(page)
    state = context.storage_state()
    context.close()
    return state


def still(browser: Browser, url: str, state: Any, name: str, **options: Any) -> None:
    """One picture of the page with a ticket ready and another under way."""
    context = browser.new_context(storage_state=state, **options)
    page = context.new_page()
    page.goto(url)
    await_live(page)
    press(page, "Forage for berries", "Start")
    press(page, "Win a duel", "Start")
    page.locator(".action.ready").wait_for()
    if options["viewport"]["width"] > PHONE["width"]:
        press(page, "Forage for berries", "Redeem")
        page.wait_for_selector(".outcome.praised")
        press(page, "Forage for berries", "Start")
    page.wait_for_function("() => document.querySelectorAll('.leaf').length === 0")
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    await_change(page)
    page.screenshot(path=FOLDER / name)
    context.close()


def await_change(page: Page) -> None:
    """Until somebody has just climbed, and nobody is on the way."""
    page.wait_for_function(CHANGED, timeout=60_000)


def film(context: BrowserContext, url: str) -> list[tuple[float, Image.Image]]:
    """The liveliest frames as the browser painted them, with their times in seconds."""
    page = context.new_page()
    page.goto(url)
    await_live(page)
    page.evaluate(WATCH_RANKS)
    frames: list[tuple[float, bytes]] = []
    session = context.new_cdp_session(page)

    def painted(event: dict[str, Any]) -> None:
        frames.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    session.on("Page.screencastFrame", painted)
    session.send("Page.startScreencast", {"format": "png", "everyNthFrame": 1})
    page.wait_for_timeout(FILMED_SECONDS * 1000)
    session.remove_listener("Page.screencastFrame", painted)  # the last frame needs no answer
    session.send("Page.stopScreencast")
    begins = liveliest([at for at, _ in frames], page.evaluate("() => window.moves"))
    clip = [(at, picture) for at, picture in frames if begins <= at <= begins + CLIP_SECONDS]
    return [(at, Image.open(io.BytesIO(picture)).convert("RGB")) for at, picture in clip]


def liveliest(starts: Sequence[float], moves: Sequence[float]) -> float:
    """When the stretch begins in which most rows move; it has time for the last of them to arrive."""
    return max(starts, key=lambda start: sum(start + 0.3 < move < start + CLIP_SECONDS - 1 for move in moves))


def animate(frames: list[tuple[float, Image.Image]], path: Path) -> None:
    """Writes an animation at the pace of the frames, thinned out to what eyes need."""
    kept = frames[:1]
    for at, image in frames[1:]:
        if at - kept[-1][0] >= FRAME_SECONDS:
            kept.append((at, image))
    durations = [round(1000 * (after[0] - before[0])) for before, after in pairwise(kept)]
    images = [image.resize((CLIP["width"], image.height * CLIP["width"] // image.width)) for _, image in kept]
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=[*durations, LOOP_PAUSE_MS],
        loop=0,
        quality=CLIP_QUALITY,
        method=4,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.pictures", description="Takes the README's pictures.")
    parser.add_argument("--url", required=True, help="a pod of `laurel up --demo`")
    url = parser.parse_args().url
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        state = seated(browser, url)
        still(browser, url, state, "live-light.png", viewport=DESKTOP, color_scheme="light", device_scale_factor=1.25)
        still(browser, url, state, "live-dark.png", viewport=DESKTOP, color_scheme="dark", device_scale_factor=1.25)
        still(browser, url, state, "phone.png", viewport=PHONE, color_scheme="light", device_scale_factor=2)
        animate(film(browser.new_context(storage_state=state, viewport=CLIP), url), FOLDER / "live.webp")
        browser.close()
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.name:<16}{path.stat().st_size:>9,} bytes")


if __name__ == "__main__":
    main()
