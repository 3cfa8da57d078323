"""Keys that change while pods run and players play: nobody is refused, and later no old key is good."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import jwt
import pytest

from server.embedded.folder import DataFolder
from server.embedded.secrets import read_secrets
from server.keys import parse_hmac_keys, parse_jwt_keys, parse_receipt_keys
from tests.caller import Caller, assert_problem, fetch, player, solved
from tests.laurel_process import LaurelProcess, until

KEYS = "/.well-known/laurel-receipt-keys.json"
ME = "/api/v1/me"


@pytest.fixture(scope="module")
def pods() -> Iterator[LaurelProcess]:
    with LaurelProcess() as process:
        yield process.start(pods=2)


@dataclass
class Play:
    """Players at all pods at once, each step at another; what was refused."""

    laurel: LaurelProcess
    rounds: int = 0
    refused: list[str] = field(default_factory=list)
    signed_by: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    def play(self, number: int) -> None:
        urls = self.laurel.urls
        while not self.over.is_set():
            try:
                self._round(urls[number % 2], urls[(number + 1) % 2])
            except Exception as error:
                self.refused.append(repr(error))
                return
            number += 1
            self.rounds += 1

    def _round(self, here: str, there: str) -> None:
        with Caller(here) as nobody:
            body = {"username": "rotating", "password": "correct horse"}
            entered = nobody.post("/api/v1/auth/login", body)
        assert entered.status_code == 200, entered.text
        token = entered.json()["accessToken"]
        self.signed_by.add(jwt.get_unverified_header(token)["kid"])
        with Caller(there, token) as caller:
            ticket = caller.issue("sprint")
            with caller.at(here) as same:
                redeemed = same.redeem(ticket["ticket"])
                assert redeemed.status_code == 200, redeemed.text
                receipt = same.http.get(f"/api/v1/tickets/{ticket['ticketId']}/receipt").json()["receipt"]
            published = jwt.PyJWKSet.from_dict(caller.http.get(KEYS).json())
            kid = jwt.get_unverified_header(receipt)["kid"]
            jwt.api_jws.decode(receipt, published[kid].key, algorithms=["EdDSA"])


@contextmanager
def playing(laurel: LaurelProcess) -> Iterator[Play]:
    play = Play(laurel)
    threads = [threading.Thread(target=play.play, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield play
    finally:
        play.over.set()
        for thread in threads:
            thread.join()


def kids(laurel: LaurelProcess, name: str) -> list[str]:
    parse = {"JWT": parse_jwt_keys, "TICKET": parse_hmac_keys, "RECEIPT": parse_receipt_keys}[name]
    return [key.kid for key in parse(read_secrets(DataFolder(laurel.data))[f"LAUREL_{name}_KEYS"])]


def test_rotating_under_load_refuses_nobody_and_retiring_shuts_out_the_old(pods: LaurelProcess):
    with Caller(pods.urls[0]) as nobody:
        body = {"username": "rotating", "password": "correct horse"}
        assert nobody.post("/api/v1/auth/register", body).status_code == 201
    before = {name: kids(pods, name) for name in ("JWT", "TICKET", "RECEIPT")}
    with player(pods) as old:
        stale = old.issue("sprint")["ticket"]
        with playing(pods) as play:
            until(lambda: play.rounds > 4)
            for name in ("ticket", "receipt"):
                assert "signs now" in pods.run("keys", "rotate", name)
            assert "signs now" in pods.run("keys", "rotate", "jwt", "--algorithm", "EdDSA")
            seen = play.rounds
            until(lambda: play.rounds > seen + 8 or play.refused)
        assert play.refused == []
        after = {name: kids(pods, name) for name in before}
        assert {name: len(found) for name, found in after.items()} == {"JWT": 2, "TICKET": 2, "RECEIPT": 2}
        assert all(after[name][0] == before[name][0] for name in before)
        assert {before["JWT"][0], after["JWT"][-1]} <= play.signed_by
        with old.at(pods.urls[1]) as elsewhere:
            assert elsewhere.http.get(ME).status_code == 200
        assert old.redeem(old.issue("sprint")["ticket"]).status_code == 200
        refresh = _refresh_token(pods)
        with playing(pods) as play:
            until(lambda: play.rounds > 2)
            for name in ("jwt", "ticket", "receipt"):
                assert "retired" in pods.run("keys", "rotate", name, "--retire")
            seen = play.rounds
            until(lambda: play.rounds > seen + 8 or play.refused)
        # A round that straddles the retirement holds nothing old: the new keys have been signing for long.
        assert play.refused == []
        assert {name: kids(pods, name) for name in before} == {name: after[name][-1:] for name in before}
        for url in pods.urls:
            with old.at(url) as there, Caller(url) as stranger:
                assert_problem(there.http.get(ME), 401, "token_invalid")
                assert [row["kid"] for row in stranger.http.get(KEYS).json()["keys"]] == after["RECEIPT"][-1:]
        with player(pods) as fresh:
            assert_problem(fresh.redeem(stale), 403, "ticket_forged")
        with Caller(pods.urls[0]) as nobody:
            assert nobody.post("/api/v1/auth/refresh", {"refreshToken": refresh}).status_code == 200


def test_no_key_signs_before_every_pod_accepts_it(pods: LaurelProcess):
    old, slow = kids(pods, "JWT")[-1], pods.pods()[1]
    os.kill(slow, signal.SIGSTOP)
    try:
        rotating = threading.Thread(target=pods.run, args=("keys", "rotate", "jwt"))
        rotating.start()
        until(lambda: len(kids(pods, "JWT")) > 1)
        told = pods.data / "keys" / f"{pods.urls[0].rpartition(':')[2]}.json"
        until(lambda: json.loads(told.read_text())["keys"]["jwt"] == kids(pods, "JWT"))
        with player(pods) as early:
            assert jwt.get_unverified_header(early.token)["kid"] == old == kids(pods, "JWT")[-1]
        assert rotating.is_alive()
    finally:
        os.kill(slow, signal.SIGCONT)
    rotating.join()
    with player(pods) as late, late.at(pods.urls[1]) as there:
        assert jwt.get_unverified_header(late.token)["kid"] == kids(pods, "JWT")[-1] != old
        assert there.http.get(ME).status_code == 200


def _refresh_token(laurel: LaurelProcess) -> str:
    with Caller(laurel.urls[0]) as nobody:
        body = {"username": "rotating", "password": "correct horse"}
        return nobody.post("/api/v1/auth/login", body).json()["refreshToken"]


def test_a_pod_that_starts_later_knows_keys_and_ended_sessions(pods: LaurelProcess):
    with player(pods) as gone, player(pods) as here:
        assert gone.http.post("/api/v1/auth/logout").status_code == 204
        pods.run("keys", "rotate", "jwt")
        for retire in ((), ("--retire",)):
            pods.run("keys", "rotate", "ticket", *retire)
        url = pods.config()["databaseUrl"]
        asyncio.run(fetch(url, "UPDATE revocations SET at = at - interval '1 hour'"))  # no poll would find it any more
        pods.kill_pod(1)
        pods.await_ready()
        with gone.at(pods.urls[1]) as there:
            assert_problem(there.http.get(ME), 401, "token_invalid")
        with here.at(pods.urls[1]) as there, player(pods) as fresh, fresh.at(pods.urls[1]) as also:
            assert there.http.get(ME).status_code == also.http.get(ME).status_code == 200
            assert jwt.get_unverified_header(fresh.token)["kid"] == kids(pods, "JWT")[-1]
            asked = fresh.http.get("/api/v1/challenges", params={"actionId": "vault"}).json()
            assert also.issue("vault", proof=solved(asked))["actionId"] == "vault"
