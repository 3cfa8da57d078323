"""Players of an outside issuer: made at their first use, never somebody else."""

import asyncio
import json
import threading
from uuid import uuid4

import httpx
import jwt
import pytest
from websockets.sync.client import connect

from tests.caller import Caller, assert_problem, fetch, minted, player
from tests.laurel_process import until
from tests.server.identity.conftest import Realm
from tests.server.identity.issuer import ALGORITHMS, Issuer

ME = "/api/v1/me"


def me(realm: Realm, token: str, pod: int = 0) -> httpx.Response:
    with Caller(realm.laurel.urls[pod], token) as caller:
        return caller.http.get(ME)


def user_of(realm: Realm, token: str, pod: int = 0) -> str:
    answer = me(realm, token, pod)
    assert answer.status_code == 200, answer.text
    return answer.json()["userId"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_makes_a_player_who_can_play(realm: Realm, algorithm: str):
    subject = f"auth0|{uuid4().hex}"
    token = realm.issuer.token(subject, f"out-{algorithm}")
    with Caller(realm.laurel.urls[0], token) as caller:
        ticket = caller.issue("sprint")["ticket"]
        assert caller.redeem(ticket).json()["newScore"] == 10
        shown = caller.http.get(ME).json()
    assert (shown["score"], shown["role"]) == (10, "player")
    assert subject not in json.dumps(shown)
    with Caller(realm.laurel.urls[0], token) as caller:
        identity = caller.http.get(f"{ME}/export").json()["identity"]
    assert identity == {"issuer": "https://issuer.example", "subject": subject}
    assert user_of(realm, realm.issuer.token(subject), 1) == shown["userId"]


@pytest.mark.parametrize("algorithm", ["HS256", *ALGORITHMS])
def test_our_own_keys_of_every_algorithm_stay_valid_beside_it(realm: Realm, algorithm: str):
    with player(realm.laurel) as caller:
        assert user_of(realm, minted(realm.keys[algorithm], caller.user_id), 1) == caller.user_id


def test_nobody_becomes_a_player_by_claiming_their_id(realm: Realm):
    with player(realm.laurel) as victim:
        token = realm.issuer.token(victim.user_id, role="admin", sid=str(uuid4()))
        found = me(realm, token).json()
        assert found["userId"] != victim.user_id
        assert found["role"] == "player"
        assert user_of(realm, token, 1) == found["userId"]
        assert_problem(me(realm, realm.issuer.token(victim.user_id, iss="laurel")), 401, "token_invalid")
        # Nor by our own keys in the outside issuer's name.
        key = realm.keys["HS256"]
        assert_problem(me(realm, minted(key, victim.user_id, iss="https://issuer.example")), 401, "token_invalid")


def test_many_at_once_make_one_player(realm: Realm):
    subject, found = uuid4().hex, []

    def ask(pod: int) -> None:
        found.append(user_of(realm, realm.issuer.token(subject, "out-EdDSA"), pod))

    threads = [threading.Thread(target=ask, args=(number % 2,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert len(set(found)) == 1
    url = realm.laurel.config()["databaseUrl"]
    (row,) = asyncio.run(fetch(url, "SELECT count(*) AS n FROM accounts WHERE subject = $1", subject))
    assert row["n"] == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "other"},
        {"iss": "https://other.example"},
        {"jti": None},
        {"sub": ""},
        {"sub": "a\0b"},
        {"sub": "x" * 256},
    ],
    ids=str,
)
def test_a_token_for_others_makes_nobody(realm: Realm, changed: dict[str, str]):
    url = realm.laurel.config()["databaseUrl"]
    count = "SELECT count(*) AS n FROM accounts WHERE issuer IS NOT NULL"
    before = asyncio.run(fetch(url, count))
    assert_problem(me(realm, realm.issuer.token(uuid4().hex, **changed)), 401, "token_invalid")
    assert asyncio.run(fetch(url, count)) == before


def test_an_expired_one_says_so_and_several_audiences_are_fine(realm: Realm):
    late = realm.issuer.token("late", iat=1, exp=2)
    assert_problem(me(realm, late), 401, "token_expired")
    assert me(realm, realm.issuer.token("both", aud=["laurel", "https://other.example"])).status_code == 200


def test_the_set_is_followed_and_outages_change_nothing(realm: Realm):
    issuer = realm.issuer
    kid = issuer.add("ES256", "new")
    token = issuer.token("newcomer", kid)
    until(lambda: me(realm, token).status_code == 200, 5)
    issuer.body = b"{}"
    seen = issuer.fetched
    until(lambda: issuer.fetched > seen + 1, 10)
    issuer.status = 500
    seen = issuer.fetched
    until(lambda: issuer.fetched > seen + 1, 10)
    assert me(realm, issuer.token("somebody", kid)).status_code == 200
    issuer.keys.pop(kid)
    issuer.publish()
    until(lambda: me(realm, token).status_code == 401, 5)


def test_a_socket_takes_an_outside_token_each_way(realm: Realm):
    url = realm.laurel.urls[0].replace("http", "ws") + "/api/v1/live"
    token = realm.issuer.token("viewer", "out-EdDSA")
    with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        first = json.loads(socket.recv(5))
    protocol = f"bearer.{realm.issuer.token('viewer', 'out-EdDSA')}"
    with connect(url, subprotocols=[protocol]) as socket:
        second = json.loads(socket.recv(5))
    with connect(url) as socket:
        assert json.loads(socket.recv(5))["type"] == "leaderboard.snapshot"
        socket.send(json.dumps({"type": "auth", "token": realm.issuer.token("viewer", "out-EdDSA")}))
        third = json.loads(socket.recv(5))
    assert first == second == third
    assert first["type"] == "authenticated"


@pytest.mark.alone
def test_logging_out_ends_one_outside_token(realm: Realm):
    one, other = realm.issuer.token("leaver"), realm.issuer.token("leaver")
    assert user_of(realm, one, 1) == user_of(realm, other, 1)
    with Caller(realm.laurel.urls[0], one) as caller:
        assert caller.http.post("/api/v1/auth/logout").status_code == 204
    until(lambda: me(realm, one, 1).status_code == 401, 1)
    assert me(realm, other, 1).status_code == 200


def test_an_outside_session_id_ends_nobody_elses_session(realm: Realm):
    with player(realm.laurel) as victim:
        sid = jwt.decode(victim.token, options={"verify_signature": False})["sid"]
        with Caller(realm.laurel.urls[0], realm.issuer.token("attacker", sid=sid)) as attacker:
            assert attacker.http.post("/api/v1/auth/logout").status_code == 204
        assert victim.http.get(ME).status_code == 200


def test_the_keys_of_another_issuer_open_nothing(realm: Realm):
    with Issuer() as stranger:
        assert_problem(me(realm, stranger.token("x")), 401, "token_invalid")
