"""What Schemathesis cannot know: ids that exist. Loaded by it, through SCHEMATHESIS_HOOKS."""

import json
import os
import zlib
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

WORLD: dict[str, Any] = json.loads(Path(os.environ["FUZZING_WORLD"]).read_text())


def whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def map_query(context: HookContext, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Leaves cursors out: their type is a text, but only the server's own are good."""
    return {name: value for name, value in query.items() if name != "cursor"} if query else query


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Puts real ids into half of the requests that are right in form, and writes whole numbers as such."""
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    if isinstance(case.body, dict):
        # To JSON Schema 7.0 is an integer; to the server, as to most programs, it is none.
        case.body = {name: whole(value) for name, value in case.body.items()}
    if case.operation.definition.raw.get("operationId") in ("accounts.logout", "me.erase"):
        # Each of these spends its caller.
        kwargs.setdefault("headers", {})["Authorization"] = (
            f"Bearer {WORLD['leaving'].pop()}" if WORLD["leaving"] else ""
        )
    dice = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
    if dice % 2:
        return
    for name in case.path_parameters or {}:
        if name in WORLD["ids"]:
            case.path_parameters[name] = WORLD["ids"][name]
    if isinstance(case.body, dict):
        for name in case.body:
            if name == "ticket":
                case.body[name] = WORLD["tickets"][dice % len(WORLD["tickets"])]
            elif name in WORLD["ids"]:
                case.body[name] = WORLD["ids"][name]
