"""What the five frontends have in common: a write, a read, and ways to be refused."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.caller import Caller, fetch
from tests.laurel_process import LaurelProcess, until

TIMED, SLOW, INSTANT, PAUSED, SWITCHED_OFF = "c-run", "c-walk", "c-tap", "c-rest", "c-gone"
POINTS = {TIMED: 7, INSTANT: 3, PAUSED: 5}
JSON = "application/json"

Write = Callable[..., httpx.Response]
"""Sends an action id as one frontend does: `write(caller, action_id, action)`."""


def save(laurel: LaurelProcess, actions: list[dict[str, Any]]) -> None:
    """Changes the catalogue and waits until every pod knows."""
    file = Path(laurel.data.parent / f"actions-{uuid4().hex}.json")
    file.write_text(json.dumps({"actions": actions}))
    laurel.run("actions", "import", str(file))
    there = {one["actionId"] for one in actions if one.get("enabled", True)}
    gone = {one["actionId"] for one in actions} - there

    def known(url: str) -> bool:
        shown = {one["actionId"] for one in httpx.get(f"{url}/api/v1/actions", trust_env=False).json()["actions"]}
        return there <= shown and not gone & shown

    until(lambda: all(known(url) for url in laurel.urls), 15)


def tampered(ticket: str) -> str:
    """A ticket with another letter in its middle."""
    middle = len(ticket) // 3
    return ticket[:middle] + ("A" if ticket[middle] != "A" else "B") + ticket[middle + 1 :]


def refused_ids(caller: Caller, other: Caller) -> Iterator[tuple[str, str, str, int, str]]:
    """Action ids that count for nothing: what, the id, its action, native status and code."""
    yield "unknown action", "no-such-action", TIMED, 404, "action_unknown"
    yield "unknown uuid", str(uuid4()), TIMED, 404, "action_unknown"
    yield "no slug", "No such thing!", TIMED, 403, "ticket_forged"
    yield "another script", "действие", TIMED, 403, "ticket_forged"
    yield "forged ticket", tampered(caller.issue(TIMED)["ticket"]), TIMED, 403, "ticket_forged"
    yield "not held", caller.issue(TIMED)["ticketId"], TIMED, 404, "action_unknown"
    foreign = other.issue(TIMED, hold=True)
    yield "another's ticket", foreign["ticket"], TIMED, 403, "ticket_not_yours"
    yield "another's held ticket", foreign["ticketId"], TIMED, 403, "ticket_not_yours"
    yield "too early", caller.issue(SLOW)["ticket"], SLOW, 409, "ticket_too_early"
    yield "too early by id", caller.issue(SLOW, hold=True)["ticketId"], SLOW, 409, "ticket_too_early"
    yield "not instant", TIMED, TIMED, 409, "conflict"
    yield "switched off", SWITCHED_OFF, SWITCHED_OFF, 409, "action_disabled"


def malformed(good: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Bodies that are not what a frontend sends, made from one that is: what, and the bytes."""
    yield "nothing", b""
    yield "no json", b"actionId=1"
    yield "half", json.dumps(good).encode()[:-1]
    yield "a list", json.dumps([good]).encode()
    yield "null", b"null"
    yield "deep", b"[" * 2_000
    yield "no utf-8", json.dumps(good).encode().replace(b'"actionId"', b'"action\xff"')
    yield "unknown field", json.dumps(good | {"score": 1_000_000}).encode()
    yield "a name twice", json.dumps(good).encode()[:-1] + b', "actionId": "c-tap"}'
    for name in good:
        yield f"without {name}", json.dumps({key: value for key, value in good.items() if key != name}).encode()
        for wrong in (None, True, 1.5, [], {}, ["x"], "" if name == "actionId" else []):
            yield f"{name} is {wrong!r}", json.dumps(good | {name: wrong}).encode()
    yield "a number for an id", json.dumps(good | {"actionId": 12345}).encode()
    yield "NUL", json.dumps(good | {"actionId": "a\x00b"}).encode()
    yield "too long", json.dumps(good | {"actionId": "x" * 5_000}).encode()


def send(caller: Caller, method: str, path: str, body: bytes, media_type: str = JSON) -> httpx.Response:
    return caller.http.request(method, path, content=body, headers={"Content-Type": media_type})


def everywhere(board: LaurelProcess, caller: Caller, send_one: Callable[[Caller], httpx.Response]) -> list[Any]:
    """The same request ten times at once, over both pods."""
    callers = [caller.at(url) for url in board.urls * 5]
    try:
        with ThreadPoolExecutor(len(callers)) as pool:
            return list(pool.map(send_one, callers))
    finally:
        for one in callers:
            one.http.close()


def entries_of(board: LaurelProcess, user_id: str) -> list[dict[str, Any]]:
    """A player's ledger, oldest first."""
    statement = """
        SELECT entry_id::text, kind, action_id, delta, score_after, meta::text FROM ledger
        WHERE user_id = $1 ORDER BY user_version
    """
    rows = asyncio.run(fetch(board.config()["databaseUrl"], statement, user_id))
    return [row | {"meta": json.loads(row["meta"])} for row in rows]


def assert_coded(answer: httpx.Response, status: int, code: str) -> None:
    """The shape of errors in A, B and E."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == JSON
    body = answer.json()
    assert set(body) == {"success", "error", "message"}
    assert (body["success"], body["error"]) == (False, code)
    assert isinstance(body["message"], str)
    assert body["message"]
    assert_headers(answer)


def assert_headers(answer: httpx.Response) -> None:
    assert ("www-authenticate" in answer.headers) == (answer.status_code == 401)
    assert ("retry-after" in answer.headers) == (answer.status_code in (429, 503))


def top_of(board: LaurelProcess, pod: int = 0, limit: int = 10) -> dict[str, Any]:
    """The native top, which every dialect's must equal."""
    found: dict[str, Any] = httpx.get(
        f"{board.urls[pod]}/api/v1/boards/global/top", params={"limit": limit}, trust_env=False
    ).json()
    return found


def scored(board: LaurelProcess, count: int) -> list[str]:
    """Players on the board with different scores, best first."""
    ids: list[str] = []
    for number, (user_id, token) in enumerate(board.mint_tokens(count)):
        with Caller(board.urls[0], token, user_id) as one:
            for _ in range(count - number):
                assert one.redeem(one.issue(TIMED)["ticket"]).status_code == 200
        ids.append(user_id)
    return ids
