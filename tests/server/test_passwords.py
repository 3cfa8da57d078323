"""Passwords: one pool of a bounded size, and a hash for whoever does not exist."""

import asyncio

import pytest

from actors.errors import Busy
from server import passwords
from server.passwords import MAX_WAITING, Passwords


async def test_right_and_wrong_and_nobody():
    found = Passwords()
    known = await found.hash("correct horse")
    assert known.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await found.matches(known, "correct horse")
    assert not await found.matches(known, "wrong horse")
    assert not await found.matches(None, "nobody has this password")
    assert not await found.matches("no hash at all", "correct horse")
    found.close()


async def test_more_than_may_wait_are_refused_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(passwords, "_check", lambda known, password: True)
    found = Passwords()
    asked = [asyncio.ensure_future(found.matches(None, "x")) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await found.matches(None, "x")
    assert await asyncio.gather(*asked) == [False] * MAX_WAITING
    assert not await found.matches(None, "x")
    found.close()
