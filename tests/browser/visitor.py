"""A person with a browser window on one pod."""

import re
from collections.abc import Iterator
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Route, expect

PASSWORD = "correct horse battery"
WAIT_MS = 10_000
RETURN_MS = 30_000
"""For a page that lost its pod: between two attempts it may wait for ten seconds (`LONGEST_DELAY_MS`)."""
GRAVE = ("serious", "critical")
# What a browser writes by itself about an answer that the page expects and explains.
EXPECTED_STATUS = re.compile(
    r"Failed to load resource: the server responded with a status of (400|401|403|404|409|429|503)\b"
)
LEFT_EARLY = re.compile(r"WebSocket is closed before the connection is established")
"""What Chromium says of a page that turns to another board while it still connects for the last one."""
AWAY = re.compile(r"net::ERR_|WebSocket connection to .* failed|status of 50[0-4]\b")

PICTURES = "https://pictures.example/"
"""Where players' faces lie; in these windows nobody is asked for them."""
FACE = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'

ROWS = """() => [...document.querySelectorAll("#rows .row:not(.leaving)")].map((row) => [
  Number(row.dataset.rank),
  row.querySelector(".user").lastChild.textContent.replace("@", ""),
  Number(row.querySelector(".number").textContent.replaceAll(",", "")),
])"""
SHOWS = f"""(wanted) => {{
  const rows = ({ROWS})().map(([, user, score]) => [user, score]);
  const theirs = rows.filter(([user]) => wanted.some(([name]) => name === user));
  return JSON.stringify(theirs) === JSON.stringify(wanted);
}}"""


class Visitor:
    """Remembers what its browser complained about and where it sent requests."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(WAIT_MS)
        self.context.route(f"{PICTURES}**", lambda route: route.fulfill(content_type="image/svg+xml", body=FACE))
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.server_goes_away = False
        self.token = ""
        self.page = self.new_page()

    def new_page(self) -> Page:
        page = self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._sent)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning") or EXPECTED_STATUS.search(message.text):
            return
        if message.type == "warning" and LEFT_EARLY.search(message.text):
            return
        if not (self.server_goes_away and AWAY.search(message.text)):
            self.complaints.append(f"{message.type}: {message.text}")

    def _sent(self, request: Request) -> None:
        self.requested.append(request.url)

    def outside(self) -> Iterator[str]:
        """Requests to anywhere but the own pod, and for players' pictures."""
        return (url for url in self.requested if not url.startswith((f"{self.url}/", "data:", PICTURES)))

    def hold(self, pattern: str) -> list[Route]:
        """The requests to an address, which wait from now on until they are let go."""
        held: list[Route] = []

        def wait(route: Route) -> None:
            held.append(route)

        self.page.route(pattern, wait)
        return held

    def open(self, fragment: str = "") -> "Visitor":
        self.page.goto(f"{self.url}/{fragment}")
        self.await_live()
        return self

    def await_live(self) -> None:
        expect(self.page.locator("#pill")).to_have_attribute("data-state", "live", timeout=RETURN_MS)

    def fill_in(self, mode: str, username: str, password: str = PASSWORD, display_name: str = "") -> None:
        """Sends the form; what comes of it is another question."""
        form = self.page.locator("#session")
        form.get_by_text(mode, exact=True).first.click()
        form.get_by_label("Name", exact=True).fill(username)
        form.get_by_label("Password").fill(password)
        if display_name:
            form.get_by_label("Shown as").fill(display_name)
        form.locator("[type=submit]").click()

    def register(self, username: str, display_name: str = "") -> "Visitor":
        with self.page.expect_response("**/api/v1/auth/register") as answered:
            self.fill_in("New here", username, display_name=display_name)
        self.token = answered.value.json()["accessToken"]
        expect(self.page.locator("#account .name")).to_have_text(display_name or username)
        return self

    def card(self, title: str) -> Locator:
        return self.page.locator(".action", has=self.page.get_by_role("heading", name=title, exact=True))

    def press(self, title: str, button: str) -> None:
        self.card(title).get_by_role("button", name=button).click()

    def expect_outcome(self, title: str, words: str | re.Pattern[str]) -> None:
        expect(self.card(title).locator(".outcome")).to_contain_text(words)

    def sprint(self) -> None:
        """Ten points, as soon as the two buttons are pressed."""
        self.press("Sprint", "Start")
        self.press("Sprint", "Redeem")
        self.expect_outcome("Sprint", "+10")

    def check_in(self) -> "Visitor":
        """Twenty points, enough to stand in the top above most players of other tests."""
        self.press("Daily check-in", "Do it")
        self.expect_outcome("Daily check-in", "+20")
        return self

    def await_rows(self, *wanted: tuple[str, int], timeout_ms: int = WAIT_MS) -> None:
        """Until the board shows these players in this order; others may stand between."""
        self.page.wait_for_function(SHOWS, arg=[list(row) for row in wanted], timeout=timeout_ms)

    def grave_faults(self) -> list[str]:
        """What axe-core finds serious or critical."""
        self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [
            f"{fault['id']}: {node['target']} {node['failureSummary']}"
            for fault in found["violations"]
            if fault["impact"] in GRAVE
            for node in fault["nodes"]
        ]

    def close(self) -> None:
        """Its player leaves the boards, too: a top 10 has no room for those of all tests."""
        for page in self.context.pages:
            page.close()
        if self.token:
            self.context.request.delete(f"{self.url}/api/v1/me", headers={"Authorization": f"Bearer {self.token}"})
        self.context.close()
