"""Request bodies in, JSON answers out."""

from functools import cache, lru_cache
from typing import Any, TypeVar

import msgspec
from sanic import HTTPResponse, Request
from sanic.helpers import STATUS_CODES

from models.doubles import refuse_doubles
from server.errors import InvalidRequest, NotJson, TooLarge
from server.wire.accounts import Nothing

T = TypeVar("T", bound=msgspec.Struct)

JSON = "application/json"
UNASKED = ("too_large", "not_json")
"""What `bodiless` may refuse with besides `invalid_request`."""

_encode = msgspec.json.Encoder().encode
_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[Any]] = {}


class Asked(Request[Any, Any]):
    """A request that takes a body which came along with its header as it is: reading it as a stream takes 3 µs."""

    __slots__ = ()

    async def receive_body(self) -> None:
        """Makes `body` the whole body; raises as Sanic does, which reads whatever is not all there yet."""
        stream: Any = self.stream
        buffer, size = stream.recv_buffer, stream.request_bytes_left
        sized = stream.request_body is True  # not in chunks
        if sized and size <= min(len(buffer), stream.request_max_size) and not stream.expecting_continue:
            self.body = bytes(buffer[:size])
            del buffer[:size]
            stream.request_bytes_left, stream.request_body = 0, None
        else:
            await super().receive_body()  # type: ignore[no-untyped-call]


def decode(request: Request, shape: type[T]) -> T:
    """The body as a value; raises NotJson, TooLarge or InvalidRequest."""
    media_type = request.headers.get("content-type", "")
    if media_type != JSON and media_type.partition(";")[0].strip().lower() != JSON:
        raise NotJson("send application/json")
    body: bytes = request.body
    if len(body) > request.app.config.REQUEST_MAX_SIZE:
        raise TooLarge("the body is too large")
    decoder = _decoders.get(shape)
    if decoder is None:
        decoder = _decoders[shape] = msgspec.json.Decoder(shape)
    try:
        value: T = decoder.decode(body)
        if body.count(b":") > 1:  # msgspec lets the last of equal names win; one name alone needs no second look
            refuse_doubles(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InvalidRequest(str(error)) from error
    return value


def bodiless(request: Request) -> None:
    """Refuses what is sent where nothing is asked for, but an empty object; raises as `decode`."""
    if request.body:
        decode(request, Nothing)


class Answer(HTTPResponse):
    """A JSON answer, which is put together for the wire faster than a response of any kind."""

    __slots__ = ()

    def whole(self) -> bytes:
        """All of it, for a connection that stays open."""
        body = self.body or b""
        lines = b"".join(map(_line, self.headers.items()))
        return b"%b%bcontent-length: %d\r\n\r\n%b" % (_start(self.status), lines, len(body), body)


@cache
def _start(status: int) -> bytes:
    reason = STATUS_CODES.get(status, b"UNKNOWN")
    return b"HTTP/1.1 %d %b\r\nconnection: keep-alive\r\ncontent-type: %b\r\n" % (status, reason, JSON.encode())


@lru_cache(maxsize=16_384)
def _line(header: tuple[str, object]) -> bytes:
    """A header as it is sent; they repeat, and making one safe takes Sanic 1.3 µs."""
    name, value = header
    safe = HTTPResponse._sanitize_header_value
    return b"%b: %b\r\n" % (safe(name).encode("ascii"), safe(f"{value}").encode(errors="surrogateescape"))


def answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> HTTPResponse:
    """A JSON answer."""
    return Answer(_encode(value), status, headers, JSON)
