"""Whose words a client's address is."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sanic.compat import Header

from server.addresses import address_of, grouped

PEER = "10.0.0.9"


def seen(proxies: int, *lines: str, peer: str = PEER) -> str:
    headers = Header([("x-forwarded-for", line) for line in lines])
    return address_of(cast(Any, SimpleNamespace(headers=headers, ip=peer)), proxies)


@pytest.mark.parametrize(
    ("proxies", "lines", "address"),
    [
        (0, ["1.1.1.1"], PEER),
        (0, [], PEER),
        (1, [], PEER),
        (1, ["1.1.1.1"], "1.1.1.1"),
        (1, ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        (1, ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        (1, ["6.6.6.6, 5.5.5.5", "4.4.4.4 ,1.1.1.1"], "1.1.1.1"),
        (2, ["6.6.6.6, 1.1.1.1, 10.0.0.1"], "1.1.1.1"),
        (2, ["6.6.6.6, 1.1.1.1", "10.0.0.1"], "1.1.1.1"),
        (2, ["1.1.1.1"], PEER),  # not by way of both proxies
        (3, ["6.6.6.6, 1.1.1.1"], PEER),
        (1, ["1.1.1.1:4711"], "1.1.1.1"),
        (1, ['"1.1.1.1:4711"'], "1.1.1.1"),
        (1, ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        (1, ["[2001:db8:1:2:3:4:5:6]:443"], "2001:db8:1:2::/64"),
        (1, ["[2001:DB8:1:2::6]"], "2001:db8:1:2::/64"),
        (1, ["2001:db8:1:3::6"], "2001:db8:1:3::/64"),
        (1, ["fe80::1%eth0"], "fe80::/64"),
        (1, ["::ffff:1.1.1.1"], "1.1.1.1"),
        (1, ["::ffff:101:101"], "1.1.1.1"),
        (1, ["1.1.1.1,"], PEER),
        (1, [""], PEER),
        (1, ["unknown"], PEER),
        (1, ["1.1.1.1, _hidden"], PEER),
        (1, ["1.1.1.999"], PEER),
        (1, ["01.1.1.1"], PEER),
        (1, ["1.1.1.1\t"], "1.1.1.1"),
        (1, ["1.1.1.1\x00"], PEER),
        (1, ["x" * 16_000], PEER),
        (1, ["," * 16_000], PEER),
        (1, ["٣.1.1.1"], PEER),
    ],
)
def test_only_trusted_hops_are_believed(proxies: int, lines: list[str], address: str):
    assert seen(proxies, *lines) == address


def test_a_peer_that_is_no_address_is_taken_as_it_is():
    assert seen(0, peer="unix") == "unix"
    assert seen(1, peer="::1") == "::/64"


@given(st.lists(st.text(max_size=40), max_size=5), st.integers(1, 3), st.ip_addresses())
def test_what_a_client_says_changes_nothing(said: list[str], proxies: int, address: Any):
    trusted = [str(address), *["10.0.0.1"] * (proxies - 1)]
    assert seen(proxies, *said, ", ".join(trusted)) == grouped(str(address))


@given(st.text(max_size=60))
def test_what_is_grouped_is_grouped_for_good(text: str):
    once = grouped(text)
    assert once is None or grouped(once.removesuffix("/64")) == once
