"""The routes of the five dialects, and their errors."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter

import msgspec
from sanic import HTTPResponse, Request

from server import errors
from server.blueprints import Blueprint
from server.bodies import JSON, answer
from server.dialects.described import described_read, described_write
from server.dialects.redeeming import redeem
from server.dialects.table import READS, WRITES, Dialect, Read, Write
from server.errors import problem_of
from server.limits import limited
from server.runtime import Runtime

log = logging.getLogger("laurel.dialects")

blueprint = Blueprint("dialects")

SPOKEN_AT: dict[str, tuple[Dialect, ...]] = {
    path: tuple(route.dialect for route in (*WRITES, *READS) if route.path == path)
    for path in {route.path for route in (*WRITES, *READS)}
}
"""Who speaks at a path, the one without a marker first."""


def dialect_of(request: Request) -> Dialect | None:
    """Whose request it is: by its path, and by its body where two share one."""
    spoken = SPOKEN_AT.get(request.path.rstrip("/"), ())
    if len(spoken) <= 1:
        return spoken[0] if spoken else None
    names = _names(request.body)
    return next((dialect for dialect in spoken if dialect.marker in names), spoken[0])


def _names(body: bytes) -> frozenset[str]:
    """The names in a JSON object; none in anything else."""
    try:
        return frozenset(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return frozenset()


async def _write(request: Request) -> HTTPResponse:
    dialect = dialect_of(request)
    (route,) = (route for route in WRITES if route.dialect is dialect)
    runtime: Runtime = request.app.ctx.runtime
    asked = await route.ask(runtime, request)
    request.ctx.player = asked.session.user_id
    await limited(request, "redeem", asked.session.user_id)
    outcome = await redeem(runtime, request, asked)
    entry = outcome.entry
    told = {
        "dialect": route.dialect.name,
        "user": entry.user_id,
        "entry": entry.entry_id,
        "action": entry.action_id,
        "change": entry.delta,
        "score": entry.score_after,
        "replayed": outcome.replayed,
    }
    log.info("score update", extra=told)
    return answer(route.answer(outcome), headers={"Cache-Control": "no-store"})


async def _read(request: Request, route: Read) -> HTTPResponse:
    await limited(request, "reads")
    shown = await route.read(request.app.ctx.runtime, request)
    return answer(shown, headers={"Cache-Control": "no-cache"})


def _name(route: Write | Read) -> str:
    return route.method.lower() + route.path.replace("/", "_")


def _add_writes(routes: Sequence[Write]) -> None:
    """One handler for whoever writes at a path: its description is theirs."""

    @described_write(routes)
    async def write(request: Request) -> HTTPResponse:
        return await _write(request)

    blueprint.add_route(write, routes[0].path, methods=[routes[0].method], name=_name(routes[0]))


def _add_read(route: Read) -> None:
    @described_read(route)
    async def read(request: Request) -> HTTPResponse:
        return await _read(request, route)

    blueprint.add_route(read, route.path, methods=[route.method], name=_name(route))


for _, _rows in groupby(sorted(WRITES, key=attrgetter("method", "path")), attrgetter("method", "path")):
    _add_writes(list(_rows))
for _route in READS:
    _add_read(_route)


async def answer_error(request: Request, error: Exception) -> HTTPResponse:
    """The native answer to an exception, in the dialect's shape where one is spoken."""
    native = await errors.answer_error(request, error)
    dialect = dialect_of(request)
    if dialect is None:
        return native
    problem = problem_of(error)
    status, refusal = dialect.refuse(problem)
    if request.method != "GET":
        told = {"dialect": dialect.name, "user": getattr(request.ctx, "player", None), "code": problem.code}
        log.info("score update refused", extra={**told, "status": status})
    headers = {name: value for name, value in native.headers.items() if name.lower() != "content-type"}
    if status != HTTPStatus.UNAUTHORIZED:
        headers = {name: value for name, value in headers.items() if name.lower() != "www-authenticate"}
    return HTTPResponse(msgspec.json.encode(refusal), status, headers, JSON)
