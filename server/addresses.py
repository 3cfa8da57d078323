"""Where a request comes from, as far as that can be believed."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from sanic import Request

FORWARDED = "x-forwarded-for"
HOST_BITS = 64
"""Of an IPv6 address: one customer has at least a /64, so all of it is one address to us."""


def address_of(request: Request, proxies: int) -> str:
    """The client's address, or its /64, as the outermost of so many trusted proxies saw it.

    Each proxy appends whom it was connected to, so only the last `proxies` hops are not the client's own words. With
    fewer hops than proxies, or a hop that is no address, it is the peer's.
    """
    peer = str(request.ip)
    if proxies <= 0:
        return grouped(peer) or peer
    hops = [hop for line in request.headers.getall(FORWARDED, ()) for hop in line.split(",")]
    named = grouped(hops[-proxies]) if len(hops) >= proxies else None
    return named or grouped(peer) or peer


@lru_cache(maxsize=8_192)
def grouped(text: str) -> str | None:
    """An address in its only form, IPv6 as its /64; None for what is no address. A port is cut off."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> HOST_BITS << HOST_BITS)}/{HOST_BITS}"
