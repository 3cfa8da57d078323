"""No forged access token passes, on any way in, and none is a fault of ours."""

import http.client
from collections import Counter
from urllib.parse import urlsplit

import pytest

from server.keys import HMAC
from tests.caller import Caller, minted, player
from tests.server.identity.conftest import Realm
from tests.server.identity.forgeries import forgeries

LEAST = 2_000


def as_header(token: str) -> bytes | None:
    """A token as the value of a header, None when HTTP cannot carry it."""
    if any(ord(character) < 32 or ord(character) == 127 for character in token) or token != token.strip():
        return None
    return f"Bearer {token}".encode("utf-8", "surrogatepass")


def test_every_forged_token_is_401(realm: Realm):
    answers: Counter[int] = Counter()
    passed = []
    with player(realm.laurel) as caller:
        address = urlsplit(caller.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        for what, token in forgeries(realm.keys, realm.issuer, caller.user_id):
            header = as_header(token)
            if header is None:
                continue
            connection.request("GET", "/api/v1/actions", headers={"Authorization": header})
            answer = connection.getresponse()
            body = answer.read()
            answers[answer.status] += 1
            if answer.status != 401 or b'"token_' not in body:
                passed.append((what, answer.status, body[:80]))
        connection.close()
        assert passed == []
        print(answers)
        assert answers[401] >= LEAST
        assert caller.http.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("algorithm", [HMAC, "RS256", "ES256", "EdDSA"])
def test_the_tokens_that_were_forged_pass_as_they_were(realm: Realm, algorithm: str):
    with player(realm.laurel) as caller, Caller(caller.url, minted(realm.keys[algorithm], caller.user_id)) as same:
        assert same.http.get("/api/v1/me").json()["userId"] == caller.user_id


def test_a_token_is_at_most_4_kib(realm: Realm):
    with player(realm.laurel) as caller:
        key = realm.keys[HMAC]
        short = minted(key, caller.user_id, pad="x" * 2_600)
        room = (4_096 - len(short)) * 3 // 4
        longest = minted(key, caller.user_id, pad="x" * (2_600 + room))
        longer = minted(key, caller.user_id, pad="x" * (2_604 + room))
        assert 4_090 < len(longest) <= 4_096 < len(longer)
        for token, status in ((longest, 200), (longer, 401)):
            with Caller(caller.url, token) as other:
                assert other.http.get("/api/v1/me").status_code == status
