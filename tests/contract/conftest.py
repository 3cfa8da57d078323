"""Two pods with a small catalogue, for all five dialects."""

from collections.abc import Iterator

import pytest

from tests.caller import Caller, player
from tests.contract.frontend import INSTANT, PAUSED, SLOW, SWITCHED_OFF, TIMED, save
from tests.laurel_process import LaurelProcess

RULES = {"overlap": "allow", "ticket": "required"}
ACTIONS = [
    {"actionId": TIMED, "title": "Run", "points": 7, **RULES},
    {"actionId": SLOW, "title": "Walk", "points": 9, "minSeconds": 30, **RULES},
    {"actionId": INSTANT, "title": "Tap", "points": 3, **RULES, "ticket": "instant"},
    {"actionId": PAUSED, "title": "Rest", "points": 5, "cooldownSeconds": 600, **RULES, "ticket": "instant"},
    {"actionId": SWITCHED_OFF, "title": "Gone", "points": 1, **RULES, "ticket": "instant"},
]


@pytest.fixture(scope="package")
def board() -> Iterator[LaurelProcess]:
    """A Laurel whose C clients' own ids count for the instant action."""
    with LaurelProcess() as laurel:
        laurel.start(pods=2, env={"LAUREL_C_DEFAULT_ACTION": INSTANT})
        save(laurel, ACTIONS)
        save(laurel, [ACTIONS[-1] | {"enabled": False}])
        yield laurel


@pytest.fixture
def caller(board: LaurelProcess) -> Iterator[Caller]:
    with player(board) as found:
        yield found


@pytest.fixture
def other(board: LaurelProcess) -> Iterator[Caller]:
    with player(board) as found:
        yield found
