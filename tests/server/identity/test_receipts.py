"""Receipts: of one's own redemptions only, and checkable with nothing but the published keys."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

import httpx
import jwt
import pytest

from tests.caller import Caller, assert_problem, player
from tests.laurel_process import LaurelProcess

KEYS = "/.well-known/laurel-receipt-keys.json"


@pytest.fixture
def caller(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel) as found:
        yield found


def receipt_of(caller: Caller, ticket_id: str) -> httpx.Response:
    return caller.http.get(f"/api/v1/tickets/{ticket_id}/receipt")


def checked(caller: Caller, receipt: str) -> dict[str, object]:
    """What a receipt says, as a stranger finds out."""
    with Caller(caller.url) as stranger:
        published = jwt.PyJWKSet.from_dict(stranger.http.get(KEYS).json())
    key = published[jwt.get_unverified_header(receipt)["kid"]]
    return json.loads(jwt.api_jws.decode(receipt, key.key, algorithms=["EdDSA"]))


def test_a_receipt_is_what_was_answered(laurel: LaurelProcess, caller: Caller):
    ticket = caller.issue("sprint")
    answer = caller.redeem(ticket["ticket"]).json()
    receipt = receipt_of(caller, ticket["ticketId"])
    assert receipt.status_code == 200
    text = receipt.json()["receipt"]
    assert receipt.json() == {"receipt": text}
    said = checked(caller, text)
    redeemed_at = datetime.fromisoformat(str(said.pop("redeemedAt")))
    assert redeemed_at >= datetime.fromisoformat(ticket["issuedAt"])
    assert said == {
        "ticketId": ticket["ticketId"],
        "userId": caller.user_id,
        "actionId": "sprint",
        "change": answer["change"],
        "newScore": answer["newScore"],
        "userVersion": answer["userVersion"],
    }
    with caller.at(laurel.urls[1]) as elsewhere:
        assert receipt_of(elsewhere, ticket["ticketId"].upper()).json()["receipt"] == text


def test_an_instant_action_has_a_receipt(caller: Caller):
    answer = caller.post("/api/v1/tickets/redeem", {"actionId": "cheer"}).json()
    assert checked(caller, receipt_of(caller, answer["ticketId"]).json()["receipt"])["actionId"] == "cheer"


def test_anything_else_is_not_found(laurel: LaurelProcess, caller: Caller):
    unspent = caller.issue("sprint")["ticketId"]
    with player(laurel) as other:
        theirs = other.issue("sprint")
        other.redeem(theirs["ticket"])
        for ticket_id in (unspent, theirs["ticketId"], str(uuid4()), "x", "%00", "..", theirs["ticket"][:60]):
            assert_problem(receipt_of(caller, ticket_id), 404, "not_found")
        with Caller(laurel.urls[0]) as nobody:
            assert_problem(receipt_of(nobody, theirs["ticketId"]), 401, "token_missing")


def test_no_altered_receipt_holds(caller: Caller):
    ticket = caller.issue("sprint")
    caller.redeem(ticket["ticket"])
    text = receipt_of(caller, ticket["ticketId"]).json()["receipt"]
    head, body, seal = text.split(".")
    raw = base64.urlsafe_b64decode(seal + "==")
    for position in range(len(raw)):
        flipped = raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
        other = base64.urlsafe_b64encode(flipped).rstrip(b"=").decode()
        with pytest.raises(jwt.InvalidSignatureError):
            checked(caller, f"{head}.{body}.{other}")
        if position > 8:
            break
    more = base64.urlsafe_b64encode(base64.urlsafe_b64decode(body + "==").replace(b'"change":10', b'"change":99'))
    with pytest.raises(jwt.InvalidSignatureError):
        checked(caller, f"{head}.{more.rstrip(b'=').decode()}.{seal}")


def test_what_is_signed_for_one_purpose_is_good_for_no_other(caller: Caller):
    ticket = caller.issue("sprint")
    caller.redeem(ticket["ticket"])
    receipt = receipt_of(caller, ticket["ticketId"]).json()["receipt"]
    for text in (receipt, ticket["ticket"], ticket["ticketId"]):
        with Caller(caller.url, text) as forger:
            assert_problem(forger.http.get("/api/v1/me"), 401, "token_invalid")
        assert_problem(caller.post("/api/v1/auth/refresh", {"refreshToken": text[:200]}), 401, "token_invalid")
    for text in (receipt, caller.token):
        assert_problem(caller.redeem(text), 403, "ticket_forged")


def test_only_public_halves_are_published(caller: Caller):
    with Caller(caller.url) as stranger:
        answer = stranger.http.get(KEYS)
    assert answer.headers["content-type"] == "application/jwk-set+json"
    (row,) = answer.json()["keys"]
    assert set(row) == {"kty", "crv", "use", "alg", "kid", "x"}
    assert (row["kty"], row["crv"], row["alg"]) == ("OKP", "Ed25519", "EdDSA")
