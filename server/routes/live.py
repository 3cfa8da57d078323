"""The live board over WebSocket."""

import socket
from asyncio import Transport
from typing import cast
from urllib.parse import urlsplit

from sanic import Blueprint, HTTPResponse, Request
from sanic.server.protocols.websocket_protocol import WebSocketProtocol

from models.board import GLOBAL
from models.ids import BoardId
from server.auth import Session
from server.errors import Forbidden, InvalidRequest, NotFound
from server.runtime import Runtime
from server.socket import Socket

SUBPROTOCOL = "bearer."
SEND_BUFFER_BYTES = 32_768
"""The kernel's buffer of one viewer: left to itself it takes megabytes before a stalled reader is noticed."""

blueprint = Blueprint("live")


async def live(request: Request) -> HTTPResponse | None:
    """Upgrades to a WebSocket, after everything that can be refused was looked at."""
    runtime: Runtime = request.app.ctx.runtime
    _check_origin(request, runtime.settings.origins)
    if request.headers.get("upgrade", "").lower() != "websocket":
        raise InvalidRequest("this address speaks WebSocket")
    board = request.args.get("board", GLOBAL)
    if BoardId(board) not in runtime.leaderboards:
        raise NotFound("there is no such board")
    session, subprotocols = _session(runtime, request)
    position = _position(request)
    protocol = cast(WebSocketProtocol, request.transport.get_protocol())
    ws = await protocol.websocket_handshake(request, subprotocols)
    transport = cast(Transport, protocol.transport)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    await Socket(runtime, ws, transport).run(board, position, session)
    return None


# What Sanic marks its own WebSocket handlers with: they answer by upgrading.
live.is_websocket = True  # type: ignore[attr-defined]
blueprint.add_route(live, "/api/v1/live")


def _check_origin(request: Request, allowed: tuple[str, ...]) -> None:
    origin = request.headers.get("origin")
    if origin is None or origin in allowed:
        return
    try:
        own = not allowed and urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        own = False
    if not own:
        raise Forbidden("this origin may not connect")


def _session(runtime: Runtime, request: Request) -> tuple[Session | None, list[str] | None]:
    """The session in the header or the subprotocol, and the subprotocol to answer with."""
    offered = [item.strip() for item in request.headers.get("sec-websocket-protocol", "").split(",")]
    bearers = [item for item in offered if item.startswith(SUBPROTOCOL)]
    if bearers:
        return runtime.tokens.verify(bearers[0].removeprefix(SUBPROTOCOL)), bearers[:1]
    return runtime.tokens.optional(request), None


def _position(request: Request) -> tuple[str, int] | None:
    epoch, version = request.args.get("epoch"), request.args.get("version")
    if epoch is None and version is None:
        return None
    if not epoch or not version or not version.isascii() or not version.isdecimal() or len(version) > 16:  # noqa: PLR2004
        raise InvalidRequest("a position is an epoch and a version")
    return epoch, int(version)
