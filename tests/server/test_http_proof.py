"""Actions that ask for a proof of work, over HTTP, on two pods with everything in force."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from models import catalogue
from models.catalogue import Action
from models.database import Database
from models.ids import ActionId
from tests.caller import Caller, assert_problem, fetch, player, solved
from tests.laurel_process import LaurelProcess, until

ISSUE = "/api/v1/tickets"
CHALLENGES = "/api/v1/challenges"
USUAL = 3
ENV = {
    "LAUREL_PROOF_TRIES": "5",
    "LAUREL_PROOF_TTL_SECONDS": "30",
    "LAUREL_PROOF_USER_PER_MINUTE": str(USUAL),
    "LAUREL_PROOF_ADDRESS_PER_MINUTE": "1000",
}
ACTIONS = [
    Action(action_id=ActionId(f"p-{proof}"), title=proof, points=1, overlap="allow", proof=proof)
    for proof in ("always", "adaptive", "none")
]
OFF = Action(action_id=ActionId("p-off"), title="off", points=1, proof="always", enabled=False)


@pytest.fixture(scope="module")
def guarded() -> Iterator[LaurelProcess]:
    with LaurelProcess() as laurel:
        laurel.start(pods=2, load_test=False, env=ENV)
        asyncio.run(save(laurel))
        for url in laurel.urls:
            until(lambda url=url: b"p-always" in httpx.get(f"{url}/api/v1/actions", trust_env=False).content, 15)
        yield laurel


async def save(laurel: LaurelProcess) -> None:
    database = Database(laurel.config()["databaseUrl"])
    await database.open()
    try:
        await catalogue.save(database, [*ACTIONS, OFF])
    finally:
        await database.close()


@pytest.fixture
def ann(guarded: LaurelProcess) -> Iterator[Caller]:
    with player(guarded) as found:
        yield found


def challenge(caller: Caller, action: str = "p-always") -> dict:
    answer = caller.http.get(CHALLENGES, params={"actionId": action})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def refused(answer: httpx.Response) -> str:
    body = assert_problem(answer, 403, "proof_required")
    return body["reason"]


def test_a_proof_is_good_for_one_ticket_on_whichever_pod(guarded: LaurelProcess, ann: Caller):
    assert refused(ann.post(ISSUE, {"actionId": "p-always"})) == "missing"
    proof = solved(challenge(ann))
    with ann.at(guarded.urls[1]) as there:
        issued = there.issue("p-always", proof=proof)
    for url in guarded.urls:
        with ann.at(url) as again:
            assert refused(again.post(ISSUE, {"actionId": "p-always", "proof": proof})) == "spent"
    assert ann.redeem(issued["ticket"]).json()["newScore"] == 1


def test_one_of_many_at_once_gets_the_ticket(guarded: LaurelProcess, ann: Caller):
    body = {"actionId": "p-always", "proof": solved(challenge(ann))}
    callers = [ann.at(url) for url in guarded.urls * 8]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda caller: caller.post(ISSUE, body), callers))
    for caller in callers:
        caller.http.close()
    assert sorted(answer.status_code for answer in answers) == [201] + [403] * 15


def test_a_proof_is_anothers_and_of_another_action(guarded: LaurelProcess, ann: Caller):
    with player(guarded) as ben:
        stolen = solved(challenge(ben))
        assert refused(ann.post(ISSUE, {"actionId": "p-always", "proof": stolen})) == "not_yours"
        other = solved(challenge(ben, "p-adaptive"))
        assert refused(ben.post(ISSUE, {"actionId": "p-always", "proof": other})) == "not_yours"
        assert ben.issue("p-always", proof=stolen)


@pytest.mark.parametrize("proof", ["", "x", "e30=", "null", "A" * 4096, "é"])
def test_what_is_no_proof_is_refused(ann: Caller, proof: str):
    assert refused(ann.post(ISSUE, {"actionId": "p-always", "proof": proof})) in ("malformed", "wrong")


def test_who_is_quick_is_asked_and_goes_on_with_proofs(guarded: LaurelProcess, ann: Caller):
    for _ in range(USUAL):
        ann.issue("p-adaptive")
    assert refused(ann.post(ISSUE, {"actionId": "p-adaptive"})) == "missing"
    ann.issue("p-none")
    ann.issue("p-adaptive", proof=solved(challenge(ann, "p-adaptive")))
    with player(guarded) as ben:
        ben.issue("p-adaptive", proof="of no interest while nothing is unusual")


def test_what_is_usual_is_counted_over_all_pods(guarded: LaurelProcess, ann: Caller):
    with ann.at(guarded.urls[1]) as there:
        for caller in (ann, there, ann):
            caller.issue("p-adaptive")
        for caller in (there, ann, there):
            assert refused(caller.post(ISSUE, {"actionId": "p-adaptive"})) == "missing"
        there.issue("p-adaptive", proof=solved(challenge(ann, "p-adaptive")))
        assert refused(ann.post(ISSUE, {"actionId": "p-adaptive"})) == "missing"


def test_of_many_at_once_no_more_pass_than_are_usual(guarded: LaurelProcess, ann: Caller):
    callers = [ann.at(url) for url in guarded.urls * 8]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda caller: caller.post(ISSUE, {"actionId": "p-adaptive"}), callers))
    for caller in callers:
        caller.http.close()
    assert sum(answer.status_code == 201 for answer in answers) <= USUAL


def test_tickets_of_other_actions_count_and_refused_ones_do_not(guarded: LaurelProcess, ann: Caller):
    for _ in range(5):
        assert refused(ann.post(ISSUE, {"actionId": "p-always", "proof": "x"})) == "malformed"
    ann.issue("p-none")
    ann.issue("p-always", proof=solved(challenge(ann)))
    ann.issue("p-adaptive")
    with ann.at(guarded.urls[1]) as there:
        assert refused(there.post(ISSUE, {"actionId": "p-adaptive"})) == "missing"


def test_challenges_are_for_players_and_for_actions_that_ask(guarded: LaurelProcess, ann: Caller):
    with Caller(guarded.urls[0]) as nobody:
        assert_problem(nobody.http.get(CHALLENGES, params={"actionId": "p-always"}), 401, "token_missing")
    for query in ({}, {"actionId": ""}, {"actionId": "A"}, {"actionId": "x" * 65}, {"actionid": "p-always"}):
        assert_problem(ann.http.get(CHALLENGES, params=query), 400, "invalid_request")
    assert_problem(ann.http.get(CHALLENGES, params={"actionId": "p-nothing"}), 404, "action_unknown")
    assert_problem(ann.http.get(CHALLENGES, params={"actionId": "p-off"}), 409, "action_disabled")
    assert_problem(ann.http.get(CHALLENGES, params={"actionId": "p-none"}), 409, "conflict")


def test_a_challenge_says_whose_it_is_and_no_more(ann: Caller):
    asked = challenge(ann)
    assert set(asked) == {"parameters", "signature"}
    assert asked["parameters"]["data"] == {"actionId": "p-always", "userId": ann.user_id}


def test_what_was_spent_long_ago_is_forgotten(guarded: LaurelProcess, ann: Caller):
    url = guarded.config()["databaseUrl"]
    old = "SELECT sha256(n::text::bytea), now() - interval '2 hours' FROM generate_series(1, 7) n"
    asyncio.run(fetch(url, f"INSERT INTO spent_proofs {old}"))
    ann.issue("p-always", proof=solved(challenge(ann)))
    left = "SELECT count(*) AS n FROM spent_proofs WHERE expires_at < now() - interval '1 hour'"
    assert asyncio.run(fetch(url, left)) == [{"n": 0}]
