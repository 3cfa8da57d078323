"""Administrators for the tests of routes."""

from collections.abc import Iterator

import pytest

from tests.caller import Caller
from tests.laurel_process import LaurelProcess


@pytest.fixture(scope="session")
def admins(laurel: LaurelProcess) -> Iterator[list[Caller]]:
    """One administrator, at every pod."""
    user_id, token = laurel.mint_admin()
    callers = [Caller(url, token, user_id) for url in laurel.urls]
    yield callers
    for caller in callers:
        caller.http.close()


@pytest.fixture(scope="session")
def admin(admins: list[Caller]) -> Caller:
    """An administrator at the first pod."""
    return admins[0]
