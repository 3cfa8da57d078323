"""Cheaters: whatever they try is to be refused; a refusal is their success."""

import random
import time
from typing import Any

import gevent
from gevent.pool import Group
from locust import task

from loadtests.load.accounts import Account
from loadtests.load.person import CREATED, OK, GaveUp, Person, Reply, think
from loadtests.load.told import Cheat, Refused

EARLY, STOCKED = "gather", "forage"
"""Of the sample catalogue: 5 s at least; 3 s at least and no overlap."""
EARLY_SECONDS = 4.5
"""From when on, with its leeway, the first of them may be accepted."""
STOCK = 4
STOCK_SECONDS = 3.3
REPLAYS = 5
PAUSE_SECONDS = 2.0
FORGED_TOKEN = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJub2JvZHkifQ."  # noqa: S105 — nobody's


class Cheater(Person):
    """Two accounts and bad ideas."""

    weight = 6

    def on_start(self) -> None:
        self.enter()
        self._other: Account = self.ground.accounts.take() or self.register()
        reply = self.ask("GET", "/api/v1/actions", "read actions", signed=False)
        self._known = {action["actionId"] for action in reply.body.get("actions", [])}

    def on_stop(self) -> None:
        super().on_stop()
        if hasattr(self, "_other"):
            self.ground.accounts.give_back(self._other)

    @task(3)
    def hand_in_what_is_not_theirs(self) -> None:
        self._attempt("foreign ticket", self._foreign)

    @task(3)
    def forge(self) -> None:
        self._attempt("forged ticket", self._forged)

    @task(2)
    def forge_a_token(self) -> None:
        self._attempt("forged token", self._forged_token)

    @task(3)
    def hurry(self) -> None:
        if EARLY in self._known:
            self._attempt("too early", self._early)

    @task(2)
    def stockpile(self) -> None:
        if STOCKED in self._known:
            self._attempt("stockpile", self._stockpiled)

    @task(3)
    def replay(self) -> None:
        self._attempt("replay", self._replayed)

    def _attempt(self, what: str, attempt: Any) -> None:
        try:
            attempt()
        except GaveUp as error:
            self.measures.fire(f"cheat {what}: no answer", 0, error)
        think(PAUSE_SECONDS)

    def _foreign(self) -> None:
        reply = self.ask("POST", "/api/v1/tickets", "start", {"actionId": "sprint"}, account=self._other)
        if reply.status == CREATED:
            self._must_fail(self._send(reply.body["ticket"], "foreign ticket", "ticket_not_yours"), reply.body)
            self.measures.note(Refused(self._other.user_id, reply.body["ticketId"], "ticket_not_yours"))

    def _forged(self) -> None:
        ticket = self._ticket("sprint")
        text = ticket["ticket"]
        at = random.randrange(len(text) // 4, len(text) * 3 // 4)
        letter = "A" if text[at] not in "Aa." else "B"
        self._must_fail(self._send(text[:at] + letter + text[at + 1 :], "forged ticket", "ticket_forged"), ticket)

    def _forged_token(self) -> None:
        nobody = Account("", FORGED_TOKEN)
        body = {"actionId": "sprint"}
        name = "cheat forged token"
        reply = self.ask("POST", "/api/v1/tickets", name, body, account=nobody, expected=("token_invalid",))
        if reply.code != "token_invalid":
            self.measures.note(Cheat("forged token", f"{reply.status} {reply.code}"))

    def _early(self) -> None:
        began = time.monotonic()
        ticket = self._ticket(EARLY)
        reply = self.redeem(ticket, "cheat too early", ("ticket_too_early",))
        if reply.status == OK and time.monotonic() - began > EARLY_SECONDS:
            return  # it was tried again for so long, as in an outage, that it was early no more
        self._must_fail(("too early", "ticket_too_early", reply), ticket)

    def _stockpiled(self) -> None:
        """Of tickets that were gathered, one may count."""
        tickets = [self._ticket(STOCKED) for _ in range(STOCK)]
        gevent.sleep(STOCK_SECONDS)
        replies = [self.redeem(ticket, "cheat stockpile", ("ticket_overlaps",)) for ticket in tickets]
        for ticket, reply in zip(tickets, replies, strict=True):
            if reply.status != OK:
                self.measures.note(Refused(self.me.user_id, ticket["ticketId"], reply.code))
        if sum(reply.status == OK for reply in replies) > 1:
            self._accepted("stockpile", f"several of {STOCK} tickets were accepted")

    def _replayed(self) -> None:
        """Of many redemptions at once, one is new."""
        ticket = self._ticket("sprint")
        crowd = Group()
        try:
            sent = [crowd.spawn(self.redeem, ticket, "cheat replay") for _ in range(REPLAYS)]
            crowd.join()
        finally:
            crowd.kill()
        replies = [one.value for one in sent if one.value is not None and one.value.status == OK]
        results = {(reply.body["newScore"], reply.body["userVersion"]) for reply in replies}
        if len(results) > 1 or sum(not reply.body["replayed"] for reply in replies) > 1:
            self._accepted("replay", f"{ticket['ticketId']} counted more than once")

    def _ticket(self, action_id: str) -> dict[str, Any]:
        ticket = self.issue(action_id)
        if ticket is None:
            raise GaveUp("no ticket to cheat with")
        return ticket

    def _send(self, ticket: str, what: str, code: str) -> tuple[str, str, Reply]:
        body = {"ticket": ticket}
        reply = self.ask("POST", "/api/v1/tickets/redeem", f"cheat {what}", body, expected=(code,))
        return what, code, reply

    def _must_fail(self, tried: tuple[str, str, Reply], ticket: dict[str, Any]) -> None:
        what, code, reply = tried
        if reply.status == OK:
            self._accepted(what, f"{ticket['ticketId']} was accepted")
        elif reply.code != code:
            self.measures.note(Cheat(what, f"refused with {reply.status} {reply.code} instead of {code}"))
        else:
            self.measures.note(Refused(self.me.user_id, ticket["ticketId"], code))

    def _accepted(self, what: str, detail: str) -> None:
        self.measures.note(Cheat(what, detail))
        self.measures.fire(f"cheat {what}: accepted", 0, AssertionError(detail))
