"""Actions and groups made, changed and taken away, effective on every pod within a second."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.caller import Caller, assert_problem, player
from tests.laurel_process import LaurelProcess, until

ACTIONS = "/api/v1/admin/actions"
GROUPS = "/api/v1/admin/groups"
SOON = 2.0
"""A second, and what a busy machine adds."""


@pytest.fixture
def name() -> str:
    return f"a-{uuid4().hex[:12]}"


@pytest.fixture
def somebody(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel) as made:
        yield made


def on_every_pod(laurel: LaurelProcess, is_so: Callable[[Caller], bool]) -> None:
    for url in laurel.urls:
        with Caller(url) as nobody:
            until(lambda nobody=nobody: is_so(nobody), SOON)


def shown(nobody: Caller, name: str) -> dict[str, Any] | None:
    actions = nobody.http.get("/api/v1/actions").json()["actions"]
    return next((action for action in actions if action["actionId"] == name), None)


@pytest.mark.alone
def test_an_action_lives_and_is_heard_of_everywhere(laurel: LaurelProcess, admin: Caller, somebody: Caller, name: str):
    made = admin.post(ACTIONS, {"actionId": name, "title": "New", "points": 7, "overlap": "allow"})
    assert made.status_code == 201
    assert (made.json()["revision"], made.json()["enabled"], made.json()["maxSeconds"]) == (1, True, 3600)
    assert_problem(admin.post(ACTIONS, {"actionId": name, "title": "New", "points": 7}), 409, "conflict")
    on_every_pod(laurel, lambda nobody: shown(nobody, name) is not None)
    old = somebody.issue(name)["ticket"]

    changed = admin.http.patch(f"{ACTIONS}/{name}", json={"points": 9, "dailyLimit": 50})
    assert (changed.status_code, changed.json()["revision"], changed.json()["title"]) == (200, 2, "New")
    on_every_pod(laurel, lambda nobody: shown(nobody, name)["points"] == 9)
    assert somebody.redeem(old).json()["change"] == 7
    assert somebody.redeem(somebody.issue(name)["ticket"]).json()["change"] == 9

    put = admin.http.put(f"{ACTIONS}/{name}", json={"title": "Newer", "points": 3, "overlap": "allow"}).json()
    assert (put["revision"], put["dailyLimit"], put["title"]) == (3, None, "Newer")
    assert admin.http.put(f"{ACTIONS}/{name}", json={"title": "Newer", "points": 3, "overlap": "allow"}).json() == put

    kept = somebody.issue(name)["ticket"]
    for _ in range(2):
        assert admin.http.delete(f"{ACTIONS}/{name}").status_code == 204
    on_every_pod(laurel, lambda nobody: shown(nobody, name) is None)
    assert_problem(somebody.redeem(kept), 409, "action_disabled")
    assert admin.http.get(f"{ACTIONS}/{name}").json() == put | {"enabled": False}
    assert admin.http.patch(f"{ACTIONS}/{name}", json={"enabled": True}).json() == put
    listed = everything(admin, ACTIONS, limit=2)
    assert [one["actionId"] for one in listed] == sorted(one["actionId"] for one in listed)
    assert next(one for one in listed if one["actionId"] == name) == put


def everything(caller: Caller, path: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = caller.http.get(path, params={"limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        found += page["entries"]
        cursor = page["next"]
        if cursor is None:
            return found


def test_two_changes_at_once_are_both_kept(admins: list[Caller], name: str):
    admins[0].post(ACTIONS, {"actionId": name, "title": "New", "points": 7})
    changes = [{"points": 8}, {"cooldownSeconds": 5}, {"minSeconds": 2}, {"title": "Other"}]
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(admins[n % 3].http.patch, f"{ACTIONS}/{name}", json=change) for n, change in enumerate(changes)
        ]
        assert {job.result().status_code for job in jobs} <= {200, 409}
        kept = [change for change, job in zip(changes, jobs, strict=True) if job.result().status_code == 200]
    found = admins[0].http.get(f"{ACTIONS}/{name}").json()
    assert found["revision"] == 1 + len(kept)
    assert all(found[field] == value for change in kept for field, value in change.items())
    with ThreadPoolExecutor(3) as pool:
        body = {"actionId": f"{name}-x", "title": "X", "points": 1}
        told = list(pool.map(lambda admin: admin.post(ACTIONS, body).status_code, admins))
    assert sorted(told) == [201, 409, 409]


RULES = {"title": "New", "points": 1}


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"title": "", "points": 1},
        {"title": "a\nb", "points": 1},
        RULES | {"points": -1},
        RULES | {"points": 10**10},
        RULES | {"minSeconds": 9, "maxSeconds": 9},
        RULES | {"maxSeconds": 0},
        RULES | {"dailyLimit": 0},
        RULES | {"overlap": "maybe"},
        RULES | {"ticket": "none"},
        RULES | {"proof": "some"},
        RULES | {"enabled": 1},
        RULES | {"revision": 7},
        RULES | {"maxSeconds": 2**31},
    ],
)
def test_bad_rules_change_nothing(admin: Caller, name: str, rules: dict[str, Any]):
    assert_problem(admin.post(ACTIONS, {"actionId": name} | rules), 400, "invalid_request")
    assert_problem(admin.http.get(f"{ACTIONS}/{name}"), 404, "action_unknown")
    if rules:
        assert_problem(admin.http.put(f"{ACTIONS}/sprint", json=rules), 400, "invalid_request")


def test_unknown_actions(admin: Caller, name: str):
    for method, body in (("GET", None), ("PUT", RULES), ("PATCH", {"points": 1}), ("DELETE", None)):
        assert_problem(admin.http.request(method, f"{ACTIONS}/{name}", json=body), 404, "action_unknown")
        assert_problem(admin.http.request(method, f"{ACTIONS}/X!", json=body), 404, "not_found")
    assert_problem(admin.post(ACTIONS, {"actionId": "X!"} | RULES), 400, "invalid_request")
    assert_problem(admin.http.patch(f"{ACTIONS}/sprint", json={"actionId": name}), 400, "invalid_request")


@pytest.mark.alone
def test_a_group_lives_and_its_members_leave_with_it(laurel: LaurelProcess, admin: Caller, somebody: Caller, name: str):
    assert admin.post(GROUPS, {"groupId": name, "title": "Reds"}).json() == {"groupId": name, "title": "Reds"}
    assert_problem(admin.post(GROUPS, {"groupId": name, "title": "Blues"}), 409, "conflict")
    for change in (admin.http.put, admin.http.patch):
        assert change(f"{GROUPS}/{name}", json={"title": "Blues"}).json()["title"] == "Blues"
    assert admin.http.get(f"{GROUPS}/{name}").json() == {"groupId": name, "title": "Blues"}
    membership = f"/api/v1/groups/{name}/members/me"
    assert somebody.http.put(membership).status_code == 204
    assert {"groupId": name, "title": "Blues"} in everything(admin, GROUPS, 1)
    assert admin.http.delete(f"{GROUPS}/{name}").status_code == 204
    for method, body in (("GET", None), ("PUT", {"title": "x"}), ("DELETE", None)):
        assert_problem(admin.http.request(method, f"{GROUPS}/{name}", json=body), 404, "not_found")
    assert_problem(somebody.http.put(membership), 404, "not_found")
    assert_problem(admin.post(GROUPS, {"groupId": name, "title": "Again"}), 409, "conflict")
    user = f"/api/v1/admin/users/{somebody.user_id}"
    until(lambda: admin.http.get(user).json()["groups"] == [], 8)
    assert admin.http.get(user).json()["userVersion"] == 2


@pytest.mark.parametrize(
    "body",
    [{}, {"groupId": "X", "title": "x"}, {"groupId": "x", "title": ""}, {"groupId": "x", "title": "x", "members": []}],
)
def test_bad_groups(admin: Caller, body: dict[str, Any]):
    assert_problem(admin.post(GROUPS, body), 400, "invalid_request")
