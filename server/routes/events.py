"""The live board over Server-Sent Events."""

import math
from asyncio import Transport
from dataclasses import replace
from typing import cast

from sanic import Request
from sanic.http import Http
from sanic.server.protocols.http_protocol import HttpProtocol

from server import handshake
from server.addresses import address_of
from server.auth import ADMIN
from server.blueprints import Blueprint
from server.documented import Parameter, documented
from server.errors import NotFound
from server.event_stream import EventStream
from server.occupancy import Seat
from server.routes.live import LIVE, bound_kernel_buffer
from server.runtime import Runtime

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

blueprint = Blueprint("events")


@blueprint.get("/api/v1/live/events")
@documented(
    str,
    caller="anyone",
    parameters=(*LIVE, Parameter("Last-Event-ID", str, "The id of the last event seen.", where="header")),
    refuses=("forbidden", "not_found", "rate_limited"),
    media_type="text/event-stream",
)
async def events(request: Request) -> None:
    """Streams frames; `Last-Event-ID` or the address says where to go on from."""
    runtime: Runtime = request.app.ctx.runtime
    handshake.check_origin(request, runtime.settings.origins)
    asked = handshake.read(request, runtime)
    last = request.headers.get("last-event-id")
    if last:
        asked = replace(asked, position=handshake.position_of_event(last))
    session = runtime.tokens.optional(request)
    if runtime.views.seen(asked.board, admin=session is not None and session.role == ADMIN) is None:
        raise NotFound("there is no such board")
    address = address_of(request, runtime.settings.trusted_proxies)
    async with Seat(runtime.occupancy, address, None if session is None else session.user_id) as seat:
        transport = cast(Transport, request.transport)
        protocol = cast(HttpProtocol, transport.get_protocol())
        protocol.response_timeout = math.inf
        cast(Http, request.stream).keep_alive = False
        response = await request.respond(content_type="text/event-stream", headers=HEADERS)
        await response.send(b"", end_stream=False)
        bound_kernel_buffer(transport)
        await EventStream(runtime, transport, seat, whole=asked.whole).run(asked, session)
