"""The live board over WebSocket."""

import socket
from asyncio import Transport
from typing import Annotated, Literal, cast

from msgspec import Meta
from sanic import HTTPResponse, Request
from sanic.server.protocols.websocket_protocol import WebSocketProtocol

from server import handshake
from server.addresses import address_of
from server.auth import Session
from server.blueprints import Blueprint
from server.documented import Parameter, documented
from server.errors import InvalidRequest
from server.occupancy import Seat
from server.runtime import Runtime
from server.socket import Socket
from server.wire.fields import Slug

SUBPROTOCOL = "bearer."
SEND_BUFFER_BYTES = 32_768
"""The kernel's buffer of one viewer: left to itself it takes megabytes before a stalled reader is noticed."""

LIVE = (
    Parameter("board", Slug, "The board to watch, else `global`.", example="global"),
    Parameter("epoch", str, "With `version`: where the viewer stands; it gets what it missed instead of a snapshot."),
    Parameter("version", Annotated[int, Meta(ge=0)], "The last version seen."),
    Parameter("format", Literal["full"], "Whole tops (`scoreboardUpdate`) instead of snapshots and deltas."),
)
"""What both ways of watching take in their address."""

blueprint = Blueprint("live")


@documented(
    status=101,
    caller="anyone",
    parameters=LIVE,
    refuses=("forbidden", "not_found", "rate_limited"),
)
async def live(request: Request) -> HTTPResponse | None:
    """Upgrades to a WebSocket, after everything that can be refused was looked at."""
    runtime: Runtime = request.app.ctx.runtime
    handshake.check_origin(request, runtime.settings.origins)
    if request.headers.get("upgrade", "").lower() != "websocket":
        raise InvalidRequest("this address speaks WebSocket")
    asked = handshake.read(request, runtime)
    session, subprotocols = _session(runtime, request)
    address = address_of(request, runtime.settings.trusted_proxies)
    async with Seat(runtime.occupancy, address, None if session is None else session.user_id) as seat:
        protocol = cast(WebSocketProtocol, request.transport.get_protocol())
        ws = await protocol.websocket_handshake(request, subprotocols)
        transport = cast(Transport, protocol.transport)
        bound_kernel_buffer(transport)
        await Socket(runtime, ws, transport, seat, whole=asked.whole).run(asked, session)
    return None


# What Sanic marks its own WebSocket handlers with: they answer by upgrading.
live.is_websocket = True  # type: ignore[attr-defined]
blueprint.add_route(live, "/api/v1/live")


def bound_kernel_buffer(transport: Transport) -> None:
    """Keeps the kernel from taking what a viewer does not read."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def _session(runtime: Runtime, request: Request) -> tuple[Session | None, list[str] | None]:
    """The session in the header or the subprotocol, and the subprotocol to answer with."""
    offered = [item.strip() for item in request.headers.get("sec-websocket-protocol", "").split(",")]
    bearers = [item for item in offered if item.startswith(SUBPROTOCOL)]
    if bearers:
        return runtime.tokens.verify(bearers[0].removeprefix(SUBPROTOCOL)), bearers[:1]
    return runtime.tokens.optional(request), None
