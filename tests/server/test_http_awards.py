"""API keys and what they give, over HTTP."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from models import catalogue
from models.catalogue import Action
from models.database import Database
from models.ids import ActionId
from tests.caller import Caller, assert_problem, fetch, player
from tests.laurel_process import LaurelProcess, until

AWARDS = "/api/v1/awards"
KEYS = "/api/v1/admin/api-keys"
NOBODY = "00000000-0000-4000-8000-000000000000"


def action(name: str, **rules: Any) -> Action:
    return Action(action_id=ActionId(f"a-{name}"), title=name, points=7, **rules)


@pytest.fixture(scope="module", autouse=True)
def actions(laurel: LaurelProcess) -> Iterator[None]:
    save(laurel, action("won"), action("lost"), action("off"))
    yield
    save(laurel, *(action(name, enabled=False) for name in ("won", "lost", "off")))


def save(laurel: LaurelProcess, *changed: Action) -> None:
    async def write() -> None:
        database = Database(laurel.config()["databaseUrl"])
        await database.open()
        try:
            await catalogue.save(database, changed)
        finally:
            await database.close()

    asyncio.run(write())
    shown = {one.action_id for one in changed if one.enabled}
    hidden = {one.action_id for one in changed if not one.enabled}
    for url in laurel.urls:

        def known(url: str = url) -> bool:
            answer = httpx.get(f"{url}/api/v1/actions", trust_env=False).json()["actions"]
            found = {one["actionId"] for one in answer}
            return shown <= found and not hidden & found

        until(known, 15)


@pytest.fixture(scope="module")
def admin(laurel: LaurelProcess) -> Iterator[Caller]:
    user_id, token = laurel.mint_admin("proof-admin")
    with Caller(laurel.urls[0], token, user_id) as found:
        yield found


@pytest.fixture
def ann(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel) as found:
        yield found


def new_key(admin: Caller, client: str | None = None, actions: tuple[str, ...] = ("a-won", "a-off")) -> dict[str, Any]:
    answer = admin.post(KEYS, {"clientId": client or f"c{uuid4().hex}", "actions": list(actions)})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


@pytest.fixture(scope="module")
def key(admin: Caller) -> dict[str, Any]:
    return new_key(admin)


Give = Callable[..., httpx.Response]


@pytest.fixture
def give(laurel: LaurelProcess, key: dict[str, Any], ann: Caller) -> Iterator[Give]:
    """Awards to Ann, by default of a key of its own."""
    with httpx.Client(trust_env=False, timeout=20) as http:

        def call(
            secret: str | None = key["apiKey"], name: str | None = "new", pod: int = 0, **body: Any
        ) -> httpx.Response:
            asked = {"userId": ann.user_id, "actionId": "a-won", "reason": "first in the cup"} | body
            headers = {"X-API-Key": secret, "Idempotency-Key": uuid4().hex if name == "new" else name}
            sent = {name: value for name, value in headers.items() if value is not None}
            return http.post(laurel.urls[pod] + AWARDS, json=asked, headers=sent)

        yield call


def score_of(caller: Caller) -> tuple[int, int]:
    own = caller.http.get("/api/v1/me").json()
    return own["score"], own["userVersion"]


def test_an_award_counts_once_and_is_recorded(
    laurel: LaurelProcess, key: dict[str, Any], ann: Caller, give: Give, admin: Caller
):
    first = give(name="cup 1").json()
    position = first.pop("leaderboardPosition")
    assert position is None or position >= 1
    assert first == {
        "success": True,
        "replayed": False,
        "ticketId": first["ticketId"],
        "actionId": "a-won",
        "change": 7,
        "newScore": 7,
        "userVersion": 1,
    }
    for pod in range(3):
        again = give(name="cup 1", pod=pod).json()
        again.pop("leaderboardPosition")
        assert again == first | {"replayed": True}
    assert score_of(ann) == (7, 1)
    (entry,) = asyncio.run(
        fetch(laurel.config()["databaseUrl"], "SELECT * FROM ledger WHERE user_id = $1", ann.user_id)
    )
    assert (entry["kind"], entry["caller"]) == ("award", f"client:{key['clientId']}")
    assert "first in the cup" in entry["meta"]


def test_many_at_once_count_once(ann: Caller, give: Give):
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda pod: give(name="together", pod=pod % 3), range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["replayed"] for answer in answers) == [False] + [True] * 11
    assert score_of(ann) == (7, 1)


def test_points_may_be_given_and_nothing_is_points_too(ann: Caller, give: Give):
    assert give(points=3).json()["newScore"] == 3
    assert give(points=0).json()["newScore"] == 3
    assert give(points=2**53 - 1 - 3).json()["newScore"] == 2**53 - 1
    assert_problem(give(points=1), 409, "conflict")
    assert score_of(ann) == (2**53 - 1, 3)


def test_the_same_key_for_another_request_is_a_conflict(laurel: LaurelProcess, ann: Caller, give: Give):
    assert give(name="one", points=7).status_code == 200
    with player(laurel) as ben:
        for other in (
            {},
            {"points": 8},
            {"reason": "other"},
            {"actionId": "a-off", "points": 7},
            {"userId": ben.user_id},
        ):
            for pod in (0, 2):
                assert_problem(give(name="one", pod=pod, **({"points": 7} | other if other else {})), 409, "conflict")
        assert score_of(ben) == (0, 0)
    assert give(name="one", points=7, userId=ann.user_id.upper()).json()["replayed"] is True
    assert score_of(ann) == (7, 1)


def test_a_repetition_with_a_newer_key_of_the_client_is_one(admin: Caller, ann: Caller, give: Give):
    older = new_key(admin, "rotating")
    assert give(older["apiKey"], "r1").json()["replayed"] is False
    newer = new_key(admin, "rotating")
    assert admin.http.delete(f"{KEYS}/{older['keyId']}").status_code == 204
    assert_problem(give(older["apiKey"], "r1"), 401, "token_invalid")
    assert give(newer["apiKey"], "r1").json()["replayed"] is True
    stranger = new_key(admin)
    assert give(stranger["apiKey"], "r1").json()["replayed"] is False
    assert score_of(ann) == (14, 2)


def test_a_revoked_key_is_refused_on_every_pod_at_once(admin: Caller, give: Give):
    made = new_key(admin)
    assert [give(made["apiKey"], pod=pod).status_code for pod in range(3)] == [200] * 3
    assert admin.http.delete(f"{KEYS}/{made['keyId']}").status_code == 204
    for pod in range(3):
        assert_problem(give(made["apiKey"], pod=pod), 401, "token_invalid")


def test_a_key_is_needed(key: dict[str, Any], ann: Caller, give: Give):
    assert_problem(give(None), 401, "token_missing")
    secret = key["apiKey"]
    for wrong in ("", "x", secret[:-1], secret + "A", secret.lower(), key["keyId"], "A" * 9_000, ann.token):
        assert_problem(give(wrong), 401, "token_invalid")
    assert score_of(ann) == (0, 0)


def test_a_key_is_good_for_its_actions_only(admin: Caller, ann: Caller, give: Give):
    assert_problem(give(actionId="a-lost"), 403, "forbidden")
    assert_problem(give(actionId="a-none"), 404, "action_unknown")
    made = new_key(admin, actions=("a-lost",))
    assert give(made["apiKey"], actionId="a-lost").status_code == 200
    changed = admin.http.patch(f"{KEYS}/{made['keyId']}", json={"actions": ["a-won"], "title": "The cup"})
    assert (changed.json()["actions"], changed.json()["title"]) == (["a-won"], "The cup")
    assert_problem(give(made["apiKey"], actionId="a-lost", pod=2), 403, "forbidden")
    assert score_of(ann) == (7, 1)


def test_an_idempotency_key_is_required(ann: Caller, give: Give):
    assert_problem(give(name=None), 400, "invalid_request")
    for wrong in ("", "x" * 201):
        assert_problem(give(name=wrong), 400, "invalid_request")
    assert score_of(ann) == (0, 0)


def test_nobody_cannot_be_given_anything(give: Give):
    assert_problem(give(userId=NOBODY), 404, "not_found")


def test_a_disabled_action_is_refused_but_what_was_given_is_told(laurel: LaurelProcess, ann: Caller, give: Give):
    assert give(name="before", actionId="a-off").status_code == 200
    save(laurel, action("off", enabled=False))
    assert_problem(give(actionId="a-off"), 409, "action_disabled")
    assert give(name="before", actionId="a-off", pod=1).json()["replayed"] is True
    assert score_of(ann) == (7, 1)


MASS = [
    {"kind": "adjust"}, {"caller": "me"}, {"entryId": NOBODY}, {"newScore": 5}, {"clientId": "x"}, {"role": "admin"},
    {"user_id": NOBODY}, {"meta": {}}, {"points": -1}, {"points": 2**53}, {"points": 1.5}, {"points": "7"},
    {"points": True}, {"reason": ""}, {"reason": None}, {"reason": "x" * 201}, {"reason": "a\x00b"}, {"reason": 7},
    {"userId": "root"}, {"userId": None}, {"userId": [NOBODY]}, {"actionId": "A"}, {"actionId": None},
]  # fmt: skip


@pytest.mark.parametrize("more", MASS, ids=str)
def test_fields_that_are_not_ours_to_set_are_refused(ann: Caller, give: Give, more: dict[str, Any]):
    assert_problem(give(**more), 400, "invalid_request")
    assert score_of(ann) == (0, 0)


def test_the_secret_is_shown_once_and_kept_nowhere(laurel: LaurelProcess, admin: Caller):
    made = new_key(admin, "secretive")
    secret = made.pop("apiKey")
    assert len(secret) == len("lk_") + 43
    assert made == made | {
        "clientId": "secretive",
        "title": "secretive",
        "actions": ["a-won", "a-off"],
        "revokedAt": None,
    }
    assert admin.http.get(f"{KEYS}/{made['keyId'].upper()}").json() == made
    listed = admin.http.get(KEYS).text
    assert made["keyId"] in listed
    assert secret not in listed
    rows = asyncio.run(fetch(laurel.config()["databaseUrl"], "SELECT api_keys::text AS row FROM api_keys"))
    assert rows
    assert not [row for row in rows if secret in row["row"] or secret.removeprefix("lk_") in row["row"]]
    logs = "".join(path.read_text() for path in laurel.data.glob("log/*.log"))
    assert secret not in logs


def test_keys_are_listed_in_pages_newest_first(admin: Caller):
    made = [new_key(admin)["keyId"] for _ in range(5)]
    found: list[str] = []
    cursor = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = admin.http.get(KEYS, params=query).json()
        assert len(page["entries"]) <= 2
        found += [key["keyId"] for key in page["entries"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found[:5] == made[::-1]
    assert len(set(found)) == len(found)
    assert admin.http.get(KEYS, params={"limit": "100"}).json() == {
        "entries": [admin.http.get(f"{KEYS}/{key_id}").json() for key_id in found],
        "next": None,
    }
    for query in ({"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"limit": ""}, {"cursor": "x"}, {"cursor": "é"}):
        assert_problem(admin.http.get(KEYS, params=query), 400, "invalid_request")


def test_revoking_twice_is_no_fault_and_keeps_the_first_time(admin: Caller):
    made = new_key(admin)
    path = f"{KEYS}/{made['keyId']}"
    assert admin.http.delete(path).status_code == 204
    first = admin.http.get(path).json()["revokedAt"]
    assert first is not None
    assert admin.http.delete(path).status_code == 204
    assert admin.http.patch(path, json={"title": "still revoked"}).json()["revokedAt"] == first


GOOD: dict[str, Any] = {"clientId": "c", "actions": ["a-won"]}
BODIES: list[dict[str, Any]] = [
    {}, {"clientId": "c"}, {"actions": ["a-won"]}, GOOD | {"clientId": "C"}, GOOD | {"title": ""},
    *(GOOD | {"actions": actions} for actions in ([], "a-won", ["a-won"] * 101, ["A"], [None], {})),
    *(GOOD | {name: NOBODY} for name in ("apiKey", "keyId", "revokedAt", "createdAt", "createdBy", "client_id")),
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_a_bad_key_is_not_made(admin: Caller, body: dict[str, Any]):
    before = admin.http.get(KEYS).json()
    assert_problem(admin.post(KEYS, body), 400, "invalid_request")
    assert admin.http.get(KEYS).json() == before


def test_what_is_not_there_is_not_found(admin: Caller):
    assert_problem(admin.post(KEYS, {"clientId": "c", "actions": ["a-none"]}), 404, "action_unknown")
    for key_id in (NOBODY, "x", "%00", "é", "a" * 500):
        for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)):
            assert_problem(admin.http.request(method, f"{KEYS}/{key_id}", json=body), 404, "not_found")


def test_keys_are_for_administrators(laurel: LaurelProcess, admin: Caller, ann: Caller, key: dict[str, Any]):
    one = f"{KEYS}/{key['keyId']}"
    routes = [("GET", KEYS), ("POST", KEYS), ("GET", one), ("PATCH", one), ("DELETE", one)]
    with Caller(laurel.urls[0]) as nobody:
        for method, path in routes:
            body = {"title": "mine", "clientId": "mine", "actions": ["a-won"]} if method in ("POST", "PATCH") else None
            assert_problem(ann.http.request(method, path, json=body), 403, "forbidden")
            assert_problem(nobody.http.request(method, path, json=body), 401, "token_missing")
            server = nobody.http.request(method, path, json=body, headers={"X-API-Key": key["apiKey"]})
            assert_problem(server, 401, "token_missing")
    assert admin.http.get(one).json()["revokedAt"] is None
