"""Pods of their own: what is scored here would push other tests' players out of the top."""

from collections.abc import Iterator

import pytest

from tests.laurel_process import LaurelProcess


@pytest.fixture(scope="package")
def site() -> Iterator[LaurelProcess]:
    with LaurelProcess() as laurel:
        yield laurel.start(pods=2)
