"""Everything held about the caller, in one JSON document."""

from collections.abc import AsyncIterator

import msgspec
from sanic import Request
from sanic.response import BaseHTTPResponse

from actors.frames import rfc3339
from models import friends, held, ledger_pages, members, outsiders, sessions
from models.friends import FIRST, MAX_FRIENDS
from models.ids import UserId
from models.ledger_pages import Wanted
from models.members import Member
from server.blueprints import Blueprint
from server.bodies import JSON
from server.documented import documented
from server.errors import TokenInvalid
from server.limits import limited
from server.runtime import Runtime
from server.wire.admin import member_answer
from server.wire.people import Exported, HeldTicket, OutsideIdentity, friend_answer, own_record, own_session

PAGE = 500
"""Entries that are in memory at once, however long a history is."""
HEADERS = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="laurel-export.json"'}

blueprint = Blueprint("export")

_encode = msgspec.json.Encoder().encode


@blueprint.get("/api/v1/me/export")
@documented(Exported, limits=("reads", "export"))
async def export(request: Request) -> BaseHTTPResponse | None:
    """Profile, outside identity, friends, groups, kept tickets, sessions and every entry, oldest page last."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    session = runtime.tokens.required(request)
    await limited(request, "export", session.user_id)
    member = await runtime.supervisor.detached("export", members.by_id(runtime.database, session.user_id))
    if member is None:
        raise TokenInvalid("the player of this token does not exist")
    head = await runtime.supervisor.detached("export", _head(runtime, member))
    response = await request.respond(headers=HEADERS, content_type=JSON)
    await response.send(head.removesuffix(b"]}"))
    separator = b""
    async for page in _pages(runtime, session.user_id):
        await response.send(separator + page)
        separator = b","
    await response.send(b"]}", end_stream=True)
    return None


async def _head(runtime: Runtime, member: Member) -> bytes:
    """The document up to its entries."""
    user_id = member.profile.user_id
    outside = await outsiders.identity_of(runtime.database, user_id)
    kept = await held.of_player(runtime.database, user_id)
    known = await friends.page(runtime.database, user_id, FIRST, 2 * MAX_FRIENDS)
    shown = Exported(
        profile=member_answer(member),
        identity=None if outside is None else OutsideIdentity(issuer=outside.issuer, subject=outside.subject),
        friends=[friend_answer(friend) for friend in known],
        held_tickets=[HeldTicket(ticket_id=ticket_id, expires_at=rfc3339(until)) for ticket_id, until in kept],
        sessions=[own_session(lasting) for lasting in await sessions.of_player(runtime.database, user_id)],
        entries=[],  # the last field: pages of them follow
    )
    return _encode(shown)


async def _pages(runtime: Runtime, user_id: UserId) -> AsyncIterator[bytes]:
    """Entries as JSON, separated by commas, newest first."""
    after = None
    while True:
        reading = ledger_pages.page(runtime.database, Wanted(user_id=user_id), 0, PAGE, after)
        page = await runtime.supervisor.detached("export", reading)
        if page.entries:
            yield _encode([own_record(recorded) for recorded in page.entries])[1:-1]
        after = page.following
        if after is None:
            return
