"""What all people of a load test have in common: an account, a pod, patience."""

import math
import random
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import gevent
import msgspec
from locust import FastHttpUser
from locust.env import Environment
from locust.exception import StopUser

from loadtests.client import LIMITED, PASSING, RENEW_BEFORE_SECONDS, WITHIN_SECONDS, again, backoff, retry_after
from loadtests.load.accounts import PASSWORD, Account, Accounts
from loadtests.load.measures import Measures
from loadtests.load.told import REDEEM, Answer, Asked, Unknown

CREATED = 201
OK = 200
ERRORS = 400
ANSWER_SECONDS = 10.0
REDEEM_PATH = "/api/v1/tickets/redeem"


class GaveUp(Exception):
    """No answer that says yes or no came in time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `status` 0 is none."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))


@dataclass(slots=True)
class Ground:
    """What people of one process share."""

    hosts: list[str]
    accounts: Accounts
    admins: Accounts
    measures: Measures
    players: set[str] = field(default_factory=set)
    """Whoever came so far; administrators move nobody else."""


class Person(FastHttpUser):
    """Root of people. `ground` is set on the environment when locust starts."""

    abstract = True
    network_timeout = ANSWER_SECONDS
    connection_timeout = ANSWER_SECONDS

    def __init__(self, environment: Environment) -> None:
        self.ground: Ground = environment.ground  # type: ignore[attr-defined]
        self._pod = random.randrange(len(self.ground.hosts))
        self.host = self.pod
        super().__init__(environment)
        self.account: Account | None = None

    @property
    def pod(self) -> str:
        return self.ground.hosts[self._pod % len(self.ground.hosts)]

    @property
    def measures(self) -> Measures:
        return self.ground.measures

    @property
    def me(self) -> Account:
        """The own account; only after `enter`."""
        assert self.account is not None
        return self.account

    def enter(self) -> None:
        """Takes a minted account, or registers one."""
        self.account = self.ground.accounts.take() or self.register()
        self.ground.players.add(self.me.user_id)

    def on_stop(self) -> None:
        if self.account is not None:
            self.ground.accounts.give_back(self.account)

    def register(self) -> Account:
        """A new account."""
        body = {"username": f"load-{uuid4().hex[:16]}", "password": PASSWORD}
        try:
            reply = self.ask("POST", "/api/v1/auth/register", "register", body, signed=False)
        except GaveUp as error:
            raise StopUser from error
        if reply.status != CREATED:
            raise StopUser
        return Account.of(reply.body)

    def _headers(self, account: Account) -> dict[str, str]:
        if time.monotonic() > account.ends_at - RENEW_BEFORE_SECONDS:
            self._renew(account)
        return account.headers

    def _renew(self, account: Account) -> None:
        """By the refresh token; or by logging in, where a try whose answer was lost has spent that."""
        spent, account.refresh_token = account.refresh_token, ""
        account.ends_at = math.inf  # a second click meanwhile goes on with the old one
        try:
            account.accept((spent and self._refreshed(spent)) or self._logged_in(account.username))
        except BaseException:
            account.ends_at = 0.0
            raise

    def _refreshed(self, token: str) -> dict[str, Any] | None:
        body = {"refreshToken": token}
        reply = self.ask("POST", "/api/v1/auth/refresh", "renew", body, signed=False, expected=("token_invalid",))
        return reply.body if reply.status == OK else None

    def _logged_in(self, username: str) -> dict[str, Any]:
        body = {"username": username, "password": PASSWORD}
        reply = self.ask("POST", "/api/v1/auth/login", "log in", body, signed=False)
        if reply.status != OK:
            raise GaveUp(f"log in: {reply.status} {reply.code}")
        return reply.body

    def ask(
        self,
        method: str,
        path: str,
        name: str,
        body: Mapping[str, Any] | None = None,
        *,
        account: Account | None = None,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
        expected: Collection[str | int] = (),
    ) -> Reply:
        """The first answer that is no passing failure; raises GaveUp. A refusal that is expected is a success.

        Where a limit is reached, everybody waits for their turn, however long that takes.
        """
        deadline, attempt = time.monotonic() + WITHIN_SECONDS, 0
        while True:
            sent = dict(headers or {}) | (self._headers(account or self.me) if signed else {})
            reply, final = self._once(method, path, name, body, sent, expected, deadline)
            if final:
                if reply.code not in expected and (reply.status == 0 or reply.status in PASSING):
                    raise GaveUp(f"{name}: {reply.status} {reply.code}")
                return reply
            gevent.sleep(retry_after(reply.headers.get("Retry-After")) + backoff(attempt))
            self._pod += 1
            attempt += 1

    def _once(
        self,
        method: str,
        path: str,
        name: str,
        body: Mapping[str, Any] | None,
        headers: dict[str, str],
        expected: Collection[str | int],
        deadline: float,
    ) -> tuple[Reply, bool]:
        """One try and whether it is the last; a try that is repeated is a row of its own."""
        url = self.pod + path
        with self.client.request(method, url, name=name, json=body, headers=headers, catch_response=True) as response:
            reply = Reply(response.status_code or 0, _object(response.content), response.headers or {})
            passing = (reply.status == 0 or reply.status in PASSING) and reply.code not in expected
            if passing and (reply.status == LIMITED or time.monotonic() < deadline):
                response.request_meta["name"] = again(reply.status, reply.code)
                response.success()
                return reply, False
            if 0 < reply.status < ERRORS or reply.code in expected or reply.status in expected:
                response.success()
            else:
                response.failure(f"{reply.status} {reply.code}")
        return reply, True

    def redeem(self, ticket: Mapping[str, Any], name: str = "redeem", expected: Collection[str] = ()) -> Reply:
        """Redeems an issued ticket, and writes down what was told."""
        asked = Asked(self.me.user_id, ticket["points"], ticket["ticketId"])
        return self.told(asked, "POST", REDEEM_PATH, name, {"ticket": ticket["ticket"]}, expected=expected)

    def act(self, action: Mapping[str, Any]) -> Reply:
        """Redeems an instant action, once whatever is repeated."""
        asked = Asked(self.me.user_id, action["points"], key=uuid4().hex)
        return self.told(asked, "POST", REDEEM_PATH, "redeem instant", {"actionId": action["actionId"]})

    def told(self, asked: Asked, *request: Any, **options: Any) -> Reply:
        """Asks for an entry of the ledger, and writes down what was told of it."""
        sent = time.time()
        try:
            reply = self.ask(*request, headers={"Idempotency-Key": asked.key} if asked.key else None, **options)
        except BaseException:
            # Whoever is stopped in the middle does not know either.
            self.measures.note(Unknown(asked))
            raise
        if reply.status == OK:
            self._answered(asked, reply.body, sent)
        return reply

    def _answered(self, asked: Asked, body: Mapping[str, Any], sent: float) -> None:
        now, score, entry_id = time.time(), body["newScore"], body["ticketId" if asked.kind == REDEEM else "entryId"]
        self.measures.note(
            Answer(asked, entry_id, body["change"], score, body["userVersion"], body["replayed"], sent, now)
        )
        if body["replayed"]:
            self.measures.fire("replayed answer", (now - sent) * 1000)
        else:
            self.measures.answered(asked.user_id, score, sent)

    def issue(self, action_id: str, expected: Collection[str] = ()) -> dict[str, Any] | None:
        """A ticket, or None when refused."""
        reply = self.ask("POST", "/api/v1/tickets", "start", {"actionId": action_id}, expected=expected)
        return reply.body if reply.status == CREATED else None


def _object(content: bytes | None) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content or b"{}", type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def think(seconds: float, least: float = 0.1) -> None:
    """Waits as people do: mostly shorter, sometimes much longer."""
    gevent.sleep(max(least, random.expovariate(1 / seconds)))
