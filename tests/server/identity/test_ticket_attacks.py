"""No altered or borrowed ticket counts, over HTTP; `tests/tickets/test_signer.py` has the mutations without it."""

import http.client
import json
import random
from collections import Counter
from urllib.parse import urlsplit

import msgspec
from itsdangerous import Signer
from itsdangerous.encoding import base64_decode, base64_encode

from server.embedded.folder import DataFolder
from server.embedded.secrets import read_secrets
from server.keys import parse_hmac_keys
from tests.caller import Caller, assert_problem, player
from tests.laurel_process import LaurelProcess

REDEEM = "/api/v1/tickets/redeem"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
RANDOM = 4_500


def mutations(ticket: str) -> list[str]:
    """Every bit flipped, then characters changed, put in, left out."""
    found = []
    for at, character in enumerate(ticket):
        found += [ticket[:at] + chr(ord(character) ^ 1 << bit) + ticket[at + 1 :] for bit in range(8)]
    dice = random.Random(3)
    for _ in range(RANDOM):
        at, other = dice.randrange(len(ticket)), dice.choice(ALPHABET)
        found.append(dice.choice([ticket[:at] + other, ticket[:at] + other + ticket[at:]]) + ticket[at + 1 :])
    return [text for text in found if text != ticket]


def test_no_mutation_counts(laurel: LaurelProcess):
    with player(laurel) as caller:
        ticket = caller.issue("sprint")["ticket"]
        address = urlsplit(caller.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        headers = {"Authorization": f"Bearer {caller.token}", "Content-Type": "application/json"}
        answers: Counter[tuple[int, str]] = Counter()
        for text in mutations(ticket):
            connection.request("POST", REDEEM, json.dumps({"ticket": text}), headers)
            answer = connection.getresponse()
            answers[answer.status, json.loads(answer.read())["code"]] += 1
        connection.close()
        # A NUL makes a text that no ticket could be; everything else has to be looked at.
        assert set(answers) <= {(403, "ticket_forged"), (400, "invalid_request")}
        assert answers[403, "ticket_forged"] >= 5_000
        assert caller.redeem(ticket).json()["newScore"] == 10


def test_another_players_ticket_and_another_action_are_refused(laurel: LaurelProcess):
    with player(laurel) as owner, player(laurel) as thief:
        ticket = owner.issue("sprint")["ticket"]
        assert_problem(thief.redeem(ticket), 403, "ticket_not_yours")
        payload, _, seal = ticket.rpartition(".")
        fields = msgspec.msgpack.decode(base64_decode(payload))
        for at, value in ((1, thief.user_id), (2, "marathon"), (3, fields[3] + 1), (4, 0), (5, 2**52)):
            changed = [*fields[:at], value, *fields[at + 1 :]]
            text = f"{base64_encode(msgspec.msgpack.encode(changed)).decode()}.{seal}"
            for caller in (owner, thief):
                assert_problem(caller.redeem(text), 403, "ticket_forged")
        assert owner.redeem(ticket).status_code == 200


def test_the_right_key_for_another_purpose_is_refused(laurel: LaurelProcess):
    secret = parse_hmac_keys(read_secrets(DataFolder(laurel.data))["LAUREL_TICKET_KEYS"])[-1].secret
    with player(laurel) as caller:
        ticket = caller.issue("sprint")["ticket"]
        payload = ticket.rpartition(".")[0]
        for salt in (b"", b"itsdangerous.Signer", b"laurel.receipt.v1", b"laurel.challenge.v1", b"laurel.ticket.v2"):
            for derivation in ("hmac", "concat", "none"):
                text = Signer(secret, salt=salt, key_derivation=derivation).sign(payload).decode()
                assert_problem(caller.redeem(text), 403, "ticket_forged")


def test_a_ticket_is_no_token_and_a_token_no_ticket(laurel: LaurelProcess):
    with player(laurel) as caller:
        ticket = caller.issue("sprint")["ticket"]
        for text in (ticket, f"{ticket}.{ticket.rpartition('.')[2]}", f"e30.{ticket}"):
            with Caller(caller.url, text) as forger:
                assert_problem(forger.http.get("/api/v1/me"), 401, "token_invalid")
        head, body, seal = caller.token.split(".")
        for text in (caller.token, f"{body}.{seal}", f"{head}.{seal}", f"{head}{body}.{seal}"):
            assert_problem(caller.redeem(text), 403, "ticket_forged")
