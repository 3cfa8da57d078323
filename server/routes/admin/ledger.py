"""The ledger, searched by administrators; entries, voided by them."""

from sanic import HTTPResponse, Request

from actors.messages import VoidEntry
from models import ledger, ledger_pages
from models.entry import SCORING, Entry, Kind
from models.ids import EntryId
from models.ledger_pages import Cursor, Wanted
from server import cursors
from server.blueprints import Blueprint
from server.bodies import answer, decode
from server.documented import Parameter, documented
from server.errors import Conflict, InvalidRequest, NotFound
from server.parameters import (
    CURSOR,
    LIMIT,
    Moment,
    limit_of,
    path_entry,
    query_cursor,
    query_moment,
    query_slug,
    query_text,
    query_user,
)
from server.routes.admin.deeds import tell_player
from server.routes.admin.guard import admin
from server.runtime import Runtime
from server.wire.admin import RecordsAnswer, VoidAnswer, Why, record_answer, void_answer
from server.wire.fields import Slug, Uuid

NO_STORE = {"Cache-Control": "no-store"}

blueprint = Blueprint("admin-ledger")


@blueprint.get("/api/v1/admin/ledger")
@documented(
    RecordsAnswer,
    caller="admin",
    parameters=(
        Parameter("userId", Uuid, "Of this player."),
        Parameter("actionId", Slug, "Of this action."),
        Parameter("kind", Kind, "Of this kind."),
        Parameter("from", Moment, "From this time on."),
        Parameter("to", Moment, "Before this time."),
        LIMIT,
        CURSOR,
    ),
)
async def listed(request: Request) -> HTTPResponse:
    """Entries, newest first: of a player, an action, a kind, from a time on, before a time."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    kind = query_text(request, "kind")
    if kind is not None and kind not in list(Kind):
        raise InvalidRequest(f"kind must be one of {', '.join(Kind)}")
    wanted = Wanted(
        user_id=query_user(request, "userId"),
        action_id=query_slug(request, "actionId"),
        kind=None if kind is None else Kind(kind),
        from_ms=query_moment(request, "from"),
        to_ms=query_moment(request, "to"),
    )
    limit, after = limit_of(request), ledger_cursor(request)
    reading = ledger_pages.page(runtime.database, wanted, runtime.clock.now_ms(), limit, after)
    page = await runtime.supervisor.detached("ledger", reading)
    following = None if page.following is None else cursors.written(page.following)
    shown = RecordsAnswer(entries=[record_answer(recorded) for recorded in page.entries], next=following)
    return answer(shown, headers=NO_STORE)


def ledger_cursor(request: Request) -> Cursor | None:
    """The entry that a cursor in the query stands for; raises InvalidRequest."""
    after = query_cursor(request, Cursor)
    if after is not None and not after.is_sound:
        raise InvalidRequest("this cursor is not one of ours")
    return after


@blueprint.post("/api/v1/admin/entries/<entry_id:str>/void")
@documented(VoidAnswer, body=Why, caller="admin", refuses=("conflict",))
async def void(request: Request, entry_id: str) -> HTTPResponse:
    """Reverses an entry at its own time; a second time gets the first answer."""
    session = admin(request)
    body = decode(request, Why)
    runtime: Runtime = request.app.ctx.runtime
    name = path_entry(entry_id)
    target = await runtime.supervisor.detached("entry", _target(runtime, name))
    command = VoidEntry(runtime.new_entry(), target, body.reason, session.user_id)
    outcome = await tell_player(runtime, target.user_id, command)
    return answer(void_answer(outcome.entry), headers=NO_STORE)


async def _target(runtime: Runtime, entry_id: EntryId) -> Entry:
    entry = await ledger.entry_by_id(runtime.database, entry_id)
    if entry is None:
        raise NotFound("there is no such entry")
    if entry.kind not in SCORING:
        raise Conflict(f"an entry of the kind {entry.kind} moved no score, so it cannot be voided")
    return entry
