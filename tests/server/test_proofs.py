"""Challenges and proofs: for one player, one action, with our keys, in time."""

import base64
import json
import time
from typing import Any
from uuid import uuid4

import altcha
import pytest

from models.ids import ActionId, UserId
from server.proofs import Proofs
from tests.caller import solved
from tickets.errors import ProofRequired
from tickets.signer import TicketSigner

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
USER, RUN = UserId(str(uuid4())), ActionId("run")


def proofs(*keys: bytes, tries: int = 3, ttl_seconds: int = 60) -> Proofs:
    return Proofs(keys or (NEW,), tries=tries, ttl_seconds=ttl_seconds)


@pytest.fixture(scope="module")
def challenge() -> dict[str, Any]:
    return proofs().challenge(USER, RUN).to_dict()


@pytest.fixture(scope="module")
def proof(challenge: dict[str, Any]) -> str:
    return solved(challenge)


def reason(text: str | None, by: Proofs | None = None, user: UserId = USER, action: ActionId = RUN) -> object:
    with pytest.raises(ProofRequired) as refusal:
        (by or proofs()).verify(text, user, action)
    assert refusal.value.facts["actionId"] == action
    return refusal.value.facts["reason"]


def packed(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def test_a_solution_is_known_by_its_challenge(challenge: dict[str, Any], proof: str):
    found = proofs().verify(proof, USER, RUN)
    assert found.name == bytes.fromhex(challenge["signature"])
    assert found.expires_at == challenge["parameters"]["expiresAt"]
    assert 0 < found.expires_at - time.time() <= 60


def test_what_a_challenge_shows(challenge: dict[str, Any]):
    parameters = challenge["parameters"]
    assert (parameters["algorithm"], parameters["cost"]) == ("PBKDF2/SHA-256", 1_000)
    assert parameters["data"] == {"actionId": RUN, "userId": USER}
    assert challenge != proofs().challenge(USER, RUN).to_dict()


def test_the_work_is_bounded():
    counters = set()
    for _ in range(60):
        asked = altcha.Challenge.from_dict(proofs(tries=4).challenge(USER, RUN).to_dict())
        solution = altcha.solve_challenge(asked)
        assert solution is not None
        counters.add(solution.counter)
    assert counters == {2, 3, 4, 5, 6}


def test_another_player_or_action_gains_nothing(proof: str):
    assert reason(proof, user=UserId(str(uuid4()))) == "not_yours"
    assert reason(proof, action=ActionId("walk")) == "not_yours"


def test_keys_change_without_a_gap(challenge: dict[str, Any], proof: str):
    assert proofs(NEW, OLD).verify(proof, USER, RUN).name == bytes.fromhex(challenge["signature"])
    assert reason(proof, proofs(OLD)) == "wrong"
    newest = solved(proofs(OLD, NEW).challenge(USER, RUN).to_dict())
    assert proofs(NEW).verify(newest, USER, RUN)


def test_it_is_over_after_its_time():
    late = proofs(ttl_seconds=-5)
    assert reason(solved(late.challenge(USER, RUN).to_dict()), late) == "expired"


def test_nothing_is_no_proof():
    assert reason(None) == "missing"


GARBAGE = [
    "", "x", "====", "é", "\ud800", "AAAA", packed(None), packed([]), packed("x"), packed(7), packed({}),
    packed({"challenge": {}, "solution": {}}), packed({"challenge": [], "solution": []}),
    packed({"challenge": {"parameters": []}, "solution": {"counter": 1, "derivedKey": ""}}),
    packed({"challenge": {"parameters": {}}, "solution": None}), base64.b64encode(b"[" * 3_000).decode(),
    base64.b64encode(b'{"challenge": 1e400}').decode(), base64.b64encode(b"\xff").decode(),
    TicketSigner([NEW])._signer.sign(b"AAAA").decode(),
]  # fmt: skip


@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_is_refused(text: str):
    assert reason(text) in ("malformed", "wrong")


CHANGES: list[tuple[str, Any]] = [
    *((name, "00") for name in ("algorithm", "nonce", "salt", "keyPrefix", "keySignature")),
    *((name, None) for name in ("algorithm", "nonce", "salt", "keyPrefix", "keySignature")),
    *(("cost", value) for value in (1, 0, -1, None, "1000", 1e400, [], {})),
    *(("keyLength", value) for value in (0, 1, None, {})),
    *(("expiresAt", value) for value in (None, 0, 10**12, "never", True, [])),
    *(("data", value) for value in (None, {}, {"userId": USER}, {"actionId": "run", "userId": USER, "x": 1}, [], "x")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), CHANGES)
def test_no_parameter_can_be_changed(challenge: dict[str, Any], proof: str, name: str, value: Any):
    told = json.loads(base64.b64decode(proof))
    told["challenge"]["parameters"][name] = value
    assert reason(packed(told)) in ("wrong", "malformed", "expired")
    del told["challenge"]["parameters"][name]
    if name != "keyLength":  # left out it means the 32 that it was
        assert reason(packed(told)) in ("wrong", "malformed")


@pytest.mark.parametrize("signature", ["", "00", None, 0, [], "x" * 64])
def test_the_signature_is_needed(proof: str, signature: Any):
    told = json.loads(base64.b64decode(proof))
    told["challenge"]["signature"] = signature
    assert reason(packed(told)) in ("wrong", "malformed")


@pytest.mark.parametrize("key", ["", "00", None, 0, [], {}, "x" * 64, "é"])
def test_work_is_needed(proof: str, key: Any):
    told = json.loads(base64.b64decode(proof))
    told["solution"]["derivedKey"] = key
    assert reason(packed(told)) == "wrong"


def test_the_prefix_that_is_shown_is_not_the_answer(challenge: dict[str, Any]):
    prefix = challenge["parameters"]["keyPrefix"]
    for key in (prefix, prefix + "00" * (32 - len(prefix) // 2)):
        told = {"challenge": challenge, "solution": {"counter": 0, "derivedKey": key}}
        assert reason(packed(told)) == "wrong"


def test_every_altered_digit_is_seen(proof: str):
    told = json.loads(base64.b64decode(proof))
    key = told["solution"]["derivedKey"]
    signature = told["challenge"]["signature"]
    for at in range(64):
        for field, text in (("derivedKey", key), ("signature", signature)):
            changed = json.loads(json.dumps(told))
            part = changed["solution"] if field == "derivedKey" else changed["challenge"]
            part[field] = text[:at] + f"{int(text[at], 16) ^ 1:x}" + text[at + 1 :]
            assert reason(packed(changed)) == "wrong"


def test_other_keys_are_taken_and_a_retired_one_is_good_no_more():
    found, started_later = proofs(OLD), proofs(NEW)
    asked = solved(found.challenge(USER, RUN).to_dict())
    found.adopt([OLD, NEW])
    assert found.verify(asked, USER, RUN)
    assert started_later.verify(solved(found.challenge(USER, RUN).to_dict()), USER, RUN)
    found.adopt([NEW])
    assert reason(asked, found) == "wrong"
