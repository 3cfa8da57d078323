"""Players edit themselves, befriend others, join groups, and are forgotten."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from models.friends import MAX_FRIENDS
from models.groups import MAX_GROUPS
from tests.caller import Caller, assert_problem, fetch, player
from tests.e2e.viewer import watching
from tests.laurel_process import LaurelProcess, until

ME = "/api/v1/me"
FRIENDS = "/api/v1/me/friends"


@pytest.fixture
def ann(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel) as made:
        yield made


@pytest.fixture
def ben(laurel: LaurelProcess) -> Iterator[Caller]:
    with player(laurel, pod=1) as made:
        yield made


def rows(laurel: LaurelProcess, statement: str, *values: object) -> list[dict[str, Any]]:
    return asyncio.run(fetch(laurel.config()["databaseUrl"], statement, *values))


def entries(laurel: LaurelProcess, user_id: str) -> list[dict[str, Any]]:
    statement = "SELECT kind, region, groups FROM ledger WHERE user_id = $1::text::uuid ORDER BY user_version"
    return rows(laurel, statement, user_id)


def scores(caller: Caller, times: int = 1) -> None:
    for _ in range(times):
        assert caller.redeem(caller.issue("sprint")["ticket"]).status_code == 200


def pages(caller: Caller, path: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = caller.http.get(path, params={"limit": limit} | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        found += answer.json()["entries"]
        cursor = answer.json()["next"]
        if cursor is None:
            return found


def test_a_profile_is_edited(laurel: LaurelProcess, ann: Caller):
    before = ann.http.get(ME).json()
    assert ann.http.patch(ME, json={}).json() == before
    new = {"displayName": "Ann Ü 👩‍🚀", "avatarUrl": "https://pictures.example/a.png", "region": "north"}
    changed = ann.http.patch(ME, json=new)
    assert changed.status_code == 200
    assert changed.json() == before | new | {"userVersion": 1}
    assert ann.http.patch(ME, json=new).json()["userVersion"] == 1
    scores(ann)
    assert ann.http.patch(ME, json={"avatarUrl": None, "region": None}).json()["avatarUrl"] is None
    scores(ann)
    assert [(entry["kind"], entry["region"]) for entry in entries(laurel, ann.user_id)] == [
        ("move", "north"),
        ("redeem", "north"),
        ("move", None),
        ("redeem", None),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"displayName": None},
        {"displayName": ""},
        {"displayName": "x" * 65},
        {"displayName": "a\nb"},
        {"displayName": " "},
        {"displayName": "\u00a0Ann"},
        {"displayName": "An\u200bn"},
        {"displayName": "Ann\u202egnp"},
        {"displayName": "Ann\u2066"},
        {"displayName": "Ann\u0085"},
        {"avatarUrl": "http://insecure.example/a.png"},
        {"avatarUrl": "javascript:alert(1)"},
        {"region": "North!"},
        {"role": "admin"},
        {"username": "other"},
        {"userId": str(uuid4())},
        {"score": 10},
        {"groups": ["a"]},
        {"bannedUntil": None},
        {"password": "correct horse"},
        {"displayName": "good", "role": "admin"},
        [],
    ],
)
def test_what_may_not_be_edited(laurel: LaurelProcess, ann: Caller, body: Any):
    before = ann.http.get(ME).json()
    assert_problem(ann.http.patch(ME, json=body), 400, "invalid_request")
    assert ann.http.get(ME).json() == before
    assert entries(laurel, ann.user_id) == []


async def test_a_new_name_is_on_every_screen(laurel: LaurelProcess, admin: Caller, ann: Caller):
    body = {"score": 8_500_000_000_000_000, "reason": "r"}
    await asyncio.to_thread(admin.http.put, f"/api/v1/admin/users/{ann.user_id}/score", json=body)
    async with watching(laurel.urls[2]) as viewer:
        await asyncio.to_thread(until, lambda: ann.user_id in viewer.rows, 3)
        await asyncio.to_thread(ann.http.patch, ME, json={"displayName": "Renamed"})
        await asyncio.to_thread(until, lambda: viewer.rows[ann.user_id]["displayName"] == "Renamed", 3)
    await asyncio.to_thread(ann.http.delete, ME)


def test_history_is_ones_own_newest_first(laurel: LaurelProcess, admin: Caller, ann: Caller, ben: Caller):
    scores(ann, 3)
    scores(ben)
    admin.http.patch(f"/api/v1/admin/users/{ann.user_id}/score", json={"change": 4, "reason": "gift"})
    for limit in (1, 2, 50):
        found = pages(ann, f"{ME}/history", limit)
        assert [entry["userVersion"] for entry in found] == [4, 3, 2, 1]
        assert [entry["newScore"] for entry in found] == [34, 30, 20, 10]
    assert found[0]["reason"] == "gift"
    assert admin.user_id not in json.dumps(found)
    assert ben.user_id not in json.dumps(found)


def test_everything_held_is_exported(laurel: LaurelProcess, admin: Caller, ann: Caller, ben: Caller):
    scores(ann, 2)
    held = ann.issue("sprint", hold=True)["ticketId"]
    ann.http.put(f"{FRIENDS}/{ben.user_id}")
    group = f"g-{uuid4().hex[:8]}"
    admin.post("/api/v1/admin/groups", {"groupId": group, "title": "G"})
    ann.http.put(f"/api/v1/groups/{group}/members/me")
    answer = ann.http.get(f"{ME}/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found = answer.json()
    assert (found["profile"]["userId"], found["profile"]["groups"]) == (ann.user_id, [group])
    assert [entry["kind"] for entry in found["entries"]] == ["move", "redeem", "redeem"]
    assert [friend["userId"] for friend in found["friends"]] == [ben.user_id]
    assert [ticket["ticketId"] for ticket in found["heldTickets"]] == [held]
    assert "argon2" not in answer.text
    (session,) = found["sessions"]
    assert set(session) == {"sessionId", "createdAt", "expiresAt", "endedAt"}
    assert found["identity"] is None
    assert session["createdAt"] < session["expiresAt"]
    assert session["endedAt"] is None
    assert ben.http.get(f"{ME}/export").json()["entries"] == []
    assert ann.user_id not in ben.http.get(f"{ME}/export").text


@pytest.mark.parametrize(
    "path", [ME, "/api/v1/admin/actions/sprint", "/api/v1/admin/groups/reds", "/api/v1/admin/api-keys/k"]
)
def test_what_goes_takes_no_body(admin: Caller, path: str):
    assert_problem(admin.http.request("DELETE", path, json={"x": 1}), 400, "invalid_request")
    assert admin.http.get(ME).status_code == 200


def test_sessions_are_exported_without_what_renews_them(laurel: LaurelProcess):
    account = {"username": f"p{uuid4().hex[:20]}", "password": "correct horse"}
    with Caller(laurel.urls[0]) as nobody:
        first = nobody.post("/api/v1/auth/register", account).json()
        nobody.post("/api/v1/auth/logout", {}, Authorization=f"Bearer {first['accessToken']}")
        second = nobody.post("/api/v1/auth/login", account).json()
        renewed = nobody.post("/api/v1/auth/refresh", {"refreshToken": second["refreshToken"]}).json()
        headers = {"Authorization": f"Bearer {renewed['accessToken']}"}
        answer = nobody.http.get(f"{ME}/export", headers=headers)
    lasting, ended = answer.json()["sessions"]
    assert lasting["endedAt"] is None
    assert ended["endedAt"] >= ended["createdAt"]
    for session in (first, second, renewed):
        assert session["refreshToken"] not in answer.text
        assert sha256(session["refreshToken"].encode()).hexdigest() not in answer.text


def test_friends_are_added_and_taken_off(laurel: LaurelProcess, ann: Caller, ben: Caller):
    for _ in range(2):
        assert ann.http.put(f"{FRIENDS}/{ben.user_id.upper()}").status_code == 204
    with player(laurel) as cid:
        ann.http.put(f"{FRIENDS}/{cid.user_id}")
        expected = sorted([ben.user_id, cid.user_id])
    for limit in (1, 50):
        assert [friend["userId"] for friend in pages(ann, FRIENDS, limit)] == expected
    assert pages(ben, FRIENDS, 50) == []
    assert_problem(ann.http.put(f"{FRIENDS}/{ann.user_id}"), 409, "conflict")
    for unknown in (str(uuid4()), "x"):
        assert_problem(ann.http.put(f"{FRIENDS}/{unknown}"), 404, "not_found")
        assert_problem(ann.http.delete(f"{FRIENDS}/{unknown}"), 404, "not_found")
    for _ in range(2):
        assert ann.http.delete(f"{FRIENDS}/{ben.user_id}").status_code == 204
    assert len(pages(ann, FRIENDS, 50)) == 1
    assert_problem(ann.http.get(FRIENDS, params={"cursor": "eA"}), 400, "invalid_request")


def test_friends_are_so_many_at_most(laurel: LaurelProcess, ann: Caller, ben: Caller):
    statement = """
        WITH made AS (INSERT INTO players (id) SELECT gen_random_uuid() FROM generate_series(1, $2) RETURNING id),
        named AS (INSERT INTO accounts (user_id, username, username_key, display_name)
                  SELECT id, id::text, id::text, 'x' FROM made RETURNING user_id)
        SELECT user_id::text FROM named WHERE $1::text IS NOT NULL
    """
    made = rows(laurel, statement, ann.user_id, MAX_FRIENDS)
    insert = "INSERT INTO friends SELECT $1::text::uuid, unnest($2::text[]::uuid[])"
    rows(laurel, insert, ann.user_id, [row["user_id"] for row in made])
    assert_problem(ann.http.put(f"{FRIENDS}/{ben.user_id}"), 409, "conflict")
    assert ann.http.put(f"{FRIENDS}/{made[0]['user_id']}").status_code == 204
    assert ann.http.get("/api/v1/boards/global/friends").status_code == 200


def test_friends_are_ranked_among_themselves_and_on_the_board(laurel: LaurelProcess, ann: Caller, ben: Caller):
    with player(laurel) as cid, player(laurel) as stranger:
        for caller, times in ((ann, 1), (ben, 3), (stranger, 2)):
            scores(caller, times)
        for friend in (ben, cid):
            ann.http.put(f"{FRIENDS}/{friend.user_id}")
        for url in laurel.urls:
            with ann.at(url) as there:
                board = until(lambda there=there: _with(there, 2), 3)
            assert [(entry["userId"], entry["rank"]) for entry in board["entries"]] == [
                (ben.user_id, 1),
                (ann.user_id, 2),
            ]
            for entry in board["entries"]:
                place = ann.http.get(f"/api/v1/boards/global/users/{entry['userId']}").json()
                assert (entry["boardRank"], entry["score"]) == (place["rank"], place["score"])
            assert (board["boardId"], board["degraded"], board["next"]) == ("global", False, None)
        asked = [stranger.user_id, ann.user_id, cid.user_id, ben.user_id.upper(), str(uuid4()), ann.user_id]
        with Caller(laurel.urls[1]) as nobody:
            found = nobody.post("/api/v1/boards/weekly/subset", {"userIds": asked}).json()
            assert [entry["userId"] for entry in found["entries"]] == [ben.user_id, stranger.user_id, ann.user_id]
            for entry in found["entries"]:
                place = nobody.http.get(f"/api/v1/boards/weekly/users/{entry['userId']}").json()
                assert {name: place[name] for name in entry} == entry
            assert nobody.post("/api/v1/boards/global/subset", {"userIds": []}).json()["entries"] == []
            assert_problem(nobody.http.get("/api/v1/boards/global/friends"), 401, "token_missing")


def _with(caller: Caller, count: int) -> dict[str, Any] | None:
    board: dict[str, Any] = caller.http.get("/api/v1/boards/global/friends").json()
    return board if len(board["entries"]) == count else None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"userIds": "x"},
        {"userIds": ["x"]},
        {"userIds": [None]},
        {"userIds": [str(uuid4()) for _ in range(101)]},
        {"userIds": [], "period": "all"},
    ],
)
def test_a_bad_subset(ann: Caller, body: Any):
    assert_problem(ann.post("/api/v1/boards/global/subset", body), 400, "invalid_request")
    assert_problem(ann.post("/api/v1/boards/none/subset", {"userIds": []}), 404, "not_found")


def test_groups_are_joined_and_left(laurel: LaurelProcess, admins: list[Caller], ann: Caller):
    names = [f"g-{uuid4().hex[:8]}" for _ in range(MAX_GROUPS + 1)]
    for name in names:
        admins[0].post("/api/v1/admin/groups", {"groupId": name, "title": name.upper()})
    # All at once at all pods: what is added is decided on the present groups, so none is lost and one is too many.
    there = [ann.at(url) for url in laurel.urls]
    with ThreadPoolExecutor(len(names)) as pool:
        told = list(
            pool.map(lambda n: there[n % 3].http.put(f"/api/v1/groups/{names[n]}/members/me"), range(len(names)))
        )
    for caller in there:
        caller.http.close()
    assert sorted(answer.status_code for answer in told) == [204] * MAX_GROUPS + [409]
    own = {entry["groupId"] for entry in pages(ann, "/api/v1/groups", 4) if entry["member"]}
    joined = {name for name, answer in zip(names, told, strict=True) if answer.status_code == 204}
    assert own == joined
    first = min(joined)
    for _ in range(2):
        assert ann.http.put(f"/api/v1/groups/{first}/members/me").status_code == 204
    scores(ann)
    for _ in range(2):
        assert ann.http.delete(f"/api/v1/groups/{first}/members/me").status_code == 204
    scores(ann)
    recorded = entries(laurel, ann.user_id)
    assert [entry["kind"] for entry in recorded] == ["move"] * MAX_GROUPS + ["redeem", "move", "redeem"]
    assert set(recorded[-3]["groups"]) == joined
    assert set(recorded[-1]["groups"]) == joined - {first}
    listed = pages(ann, "/api/v1/groups", 100)
    assert {"groupId": first, "title": first.upper(), "member": False} in listed
    with Caller(laurel.urls[0]) as nobody:
        assert_problem(nobody.http.get("/api/v1/groups"), 401, "token_missing")
        assert_problem(nobody.http.put(f"/api/v1/groups/{first}/members/me"), 401, "token_missing")
    for unknown in ("nobody-made-this", "X!"):
        for method in ("PUT", "DELETE"):
            answer = ann.http.request(method, f"/api/v1/groups/{unknown}/members/me")
            assert_problem(answer, 404, "not_found")


def test_an_erased_player_is_forgotten_and_the_ledger_holds(
    laurel: LaurelProcess, admin: Caller, ann: Caller, ben: Caller
):
    scores(ann, 2)
    ann.http.patch(ME, json={"region": "north"})
    ticket, spent = ann.issue("sprint")["ticket"], ann.issue("sprint", hold=True)
    ann.redeem(spent["ticket"])
    ben.http.put(f"{FRIENDS}/{ann.user_id}")
    ann.http.put(f"{FRIENDS}/{ben.user_id}")
    username = ann.http.get(ME).json()["username"]
    assert ann.http.delete(ME).status_code == 204
    assert_problem(
        ann.post("/api/v1/tickets", {"actionId": "sprint"}), 401, "token_invalid"
    )  # at once, where it was asked
    for url in laurel.urls:
        with ann.at(url) as there:
            assert_problem(there.http.get(ME), 401, "token_invalid")
            assert_problem(there.http.delete(ME), 401, "token_invalid")
            assert_problem(there.http.get(f"{ME}/export"), 401, "token_invalid")
            assert_problem(there.http.patch(ME, json={"region": "south"}), 401, "token_invalid")
            for text in (ticket, spent["ticket"]):
                assert_problem(there.redeem(text), 401, "token_invalid")
            assert_problem(there.http.put(f"{FRIENDS}/{ben.user_id}"), 401, "token_invalid")
            until(lambda there=there: not_on_the_board(there), 3)
    assert pages(ben, FRIENDS, 50) == []
    assert_problem(ben.http.put(f"{FRIENDS}/{ann.user_id}"), 404, "not_found")
    left = rows(
        laurel,
        """SELECT (SELECT count(*) FROM accounts WHERE user_id = $1::text::uuid) AS accounts,
                  (SELECT count(*) FROM held_tickets WHERE user_id = $1::text::uuid) AS held,
                  (SELECT count(*) FROM friends WHERE $1::text::uuid IN (user_id, friend_id)) AS friends,
                  region, groups FROM players WHERE id = $1::text::uuid""",
        ann.user_id,
    )
    assert left == [{"accounts": 0, "held": 0, "friends": 0, "region": None, "groups": []}]
    assert [entry["kind"] for entry in entries(laurel, ann.user_id)] == ["redeem", "redeem", "move", "redeem", "erase"]
    for path, body in (("ban", {"reason": "r"}), ("score", {"score": 1, "reason": "r"})):
        answer = admin.http.put(f"/api/v1/admin/users/{ann.user_id}/{path}", json=body)
        assert_problem(answer, 404, "not_found")
    assert_problem(admin.http.delete(f"/api/v1/admin/users/{ann.user_id}/ban"), 404, "not_found")
    assert_problem(admin.http.get(f"/api/v1/admin/users/{ann.user_id}/score"), 404, "not_found")
    with Caller(laurel.urls[1]) as nobody:
        again = nobody.post("/api/v1/auth/register", {"username": username, "password": "correct horse"})
        assert again.status_code == 201
        assert again.json()["user"]["userId"] != ann.user_id
    assert "hold together" in laurel.run("audit", "verify", "--user", ann.user_id)


def not_on_the_board(caller: Caller) -> bool:
    with Caller(caller.url) as nobody:
        return nobody.http.get(f"/api/v1/boards/global/users/{caller.user_id}").status_code == 404


def test_an_erasure_that_stopped_half_way_is_finished(laurel: LaurelProcess, ann: Caller):
    """The entry is written, and the pod died before the account went."""
    scores(ann)
    kept = rows(laurel, "SELECT * FROM accounts WHERE user_id = $1::text::uuid", ann.user_id)[0]
    ann.http.delete(ME)
    columns = ", ".join(kept)
    places = ", ".join(f"${n}" for n in range(1, len(kept) + 1))
    rows(laurel, f"INSERT INTO accounts ({columns}) VALUES ({places})", *kept.values())
    count = "SELECT count(*) AS n FROM accounts WHERE user_id = $1::text::uuid"
    until(lambda: rows(laurel, count, ann.user_id)[0]["n"] == 0, 15)


OWN = [
    ("GET", ME, None),
    ("PATCH", ME, {"displayName": "x"}),
    ("DELETE", ME, None),
    ("GET", f"{ME}/history", None),
    ("GET", f"{ME}/export", None),
    ("GET", FRIENDS, None),
    ("PUT", f"{FRIENDS}/00000000-0000-4000-8000-000000000000", None),
    ("DELETE", f"{FRIENDS}/00000000-0000-4000-8000-000000000000", None),
    ("GET", "/api/v1/boards/global/friends", None),
    ("PUT", "/api/v1/groups/g/members/me", None),
    ("DELETE", "/api/v1/groups/g/members/me", None),
]


@pytest.mark.parametrize(("method", "path", "body"), OWN)
def test_what_is_ones_own_asks_who_one_is(laurel: LaurelProcess, method: str, path: str, body: Any):
    """Nobody is named in a path or a body: each of these is about the token's player."""
    with Caller(laurel.urls[0]) as nobody:
        assert_problem(nobody.http.request(method, path, json=body), 401, "token_missing")
    with Caller(laurel.urls[0], "x.y.z") as nobody:
        assert_problem(nobody.http.request(method, path, json=body), 401, "token_invalid")
