"""Ports that are free, the former one preferred."""

import errno
import socket
from collections.abc import Collection

import msgspec

from server.embedded.errors import EmbeddedError
from server.embedded.folder import DataFolder

LOOPBACK = "127.0.0.1"


def is_free(host: str, port: int) -> bool:
    """Whether one can listen there; raises OSError for a host that is unknown or not this machine."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def refuse_taken(host: str, ports: Collection[int]) -> None:
    """Raises EmbeddedError unless one can listen on all of them."""
    for port in ports:
        try:
            free = is_free(host, port)
        except OSError as error:
            raise EmbeddedError(f"cannot listen on {host}: {error.strerror}") from error
        if not free:
            raise EmbeddedError(
                f"port {port} of {host} is taken: choose another with LAUREL_PORT, or --port of `laurel up`"
            )


def any_free() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def choose_port(folder: DataFolder, name: str, avoid: Collection[int] = ()) -> int:
    """The port this server had before, if free, else another."""
    known = _read(folder)
    port = known.get(name)
    if port is None or port in avoid or not is_free(LOOPBACK, port):
        port = next(port for port in iter(any_free, None) if port not in avoid)
        folder.write_private(folder.ports, msgspec.json.encode(known | {name: port}).decode())
    return port


def _read(folder: DataFolder) -> dict[str, int]:
    try:
        return msgspec.json.decode(folder.ports.read_bytes(), type=dict[str, int])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}  # it only remembers a preference
