"""What Schemathesis cannot know: ids that exist. Loaded by it, through SCHEMATHESIS_HOOKS.

It also counts the requests of each operation, for the test to see that none was passed over.
"""

import atexit
import json
import os
import re
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

from server.routes.tickets import KEY_PATTERN

WORLD: dict[str, Any] = json.loads(Path(os.environ["FUZZING_WORLD"]).read_text())
REDEEM = "/api/v1/tickets/redeem"
ACTIONS = "/api/v1/admin/actions"
BOARDS = "/api/v1/admin/boards"
CALLS: Counter[str] = Counter()
SEASON = {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z", "id": None}


@atexit.register
def tell_calls() -> None:
    Path(os.environ["FUZZING_CALLS"]).write_text(json.dumps(CALLS))


def whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def map_query(context: HookContext, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Leaves cursors out: their type is a text, but only the server's own are good."""
    return {name: value for name, value in query.items() if name != "cursor"} if query else query


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Puts real ids into half of the requests that are right in form, and writes whole numbers as such."""
    CALLS[case.operation.label] += 1
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    # A revision is one of a period, and an empty one is none; a schema of single parameters cannot say so.
    if case.query and "revision" in case.query and not case.query.get("period"):
        del case.query["revision"]
    if isinstance(case.body, dict):
        # To JSON Schema 7.0 is an integer; to the server, as to most programs, it is none.
        case.body = {name: whole(value) for name, value in case.body.items()}
        agree(case)
    dice = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
    if dice % 2 == 0:
        put_real_ids(case, dice)


def agree(case: Case) -> None:
    """Makes fields go together where a schema cannot say that they must."""
    body = case.body
    if case.operation.path.startswith(ACTIONS):
        if body.get("minSeconds", 0) >= body.get("maxSeconds", 3600):
            body["minSeconds"] = 0
        if body.get("ticket") == "instant":
            body["proof"] = "none"
        # What can be printed is a table of Unicode, no pattern; likewise a text of more than blanks, and zones, below.
        if "title" in body and not body["title"].isprintable():
            body["title"] = "Fuzzed"
    if case.operation.path.startswith(BOARDS):
        body["title"] = body["title"].strip() or "Fuzzed"
        body |= {"timeZone": "UTC", "season": SEASON if body["window"] == "season" else None}
        if isinstance(body.get("filter"), dict):
            body["filter"] = {**body["filter"], "actions": None}
    key = case.headers.get("Idempotency-Key")
    if case.operation.path == REDEEM and "actionId" in body and key is not None and not re.match(KEY_PATTERN, key):
        case.headers["Idempotency-Key"] = "fuzzed"


def put_real_ids(case: Case, dice: int) -> None:
    # What administrators do to actions and boards is done to one that nobody else asks for.
    admin = case.operation.path.startswith((ACTIONS, BOARDS))
    ids = WORLD["ids"] | ({"actionId": "fuzzed", "boardId": "fuzzed"} if admin else {})
    for name in case.path_parameters or {}:
        if name in ids:
            case.path_parameters[name] = ids[name]
    if isinstance(case.body, dict):
        for name in case.body:
            if name == "ticket" and case.operation.path == REDEEM:
                case.body[name] = WORLD["tickets"][dice % len(WORLD["tickets"])]
            elif name in ids:
                case.body[name] = ids[name]
