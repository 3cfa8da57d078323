"""Every rule of an action has its bounds."""

from typing import Any

import msgspec
import pytest

from models.catalogue import MAX_POINTS, MAX_SECONDS, Action, Catalogue, Revised, check
from models.errors import CatalogueInvalid
from models.ids import ActionId


def action(**rules: Any) -> Action:
    return Action(**{"action_id": ActionId("run"), "title": "Run", "points": 1} | rules)


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"points": 0},
        {"points": MAX_POINTS},
        {"title": "x" * 200},
        {"max_seconds": MAX_SECONDS, "min_seconds": MAX_SECONDS - 1, "cooldown_seconds": MAX_SECONDS},
        {"max_seconds": 1},
        {"daily_limit": 1},
        {"daily_limit": 1_000_000},
        {"overlap": "allow", "ticket": "instant"},
        {"proof": "adaptive"},
        {"proof": "always", "enabled": False},
        {"action_id": ActionId("x" * 64)},
    ],
)
def test_what_is_within_bounds_passes(rules: dict[str, Any]):
    assert check([action(**rules)]) == [action(**rules)]


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ({"action_id": ActionId("Run")}, "slug"),
        ({"ticket": "instant", "proof": "always"}, "no start"),
        ({"ticket": "instant", "proof": "adaptive"}, "no start"),
        ({"action_id": ActionId("")}, "slug"),
        ({"action_id": ActionId("x" * 65)}, "slug"),
        ({"action_id": ActionId("run\n")}, "slug"),
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\x00"}, "title"),
        ({"points": -1}, "points"),
        ({"points": MAX_POINTS + 1}, "points"),
        ({"max_seconds": 0}, "maxSeconds"),
        ({"max_seconds": -1}, "maxSeconds"),
        ({"max_seconds": MAX_SECONDS + 1}, "maxSeconds"),
        ({"min_seconds": 60, "max_seconds": 60}, "minSeconds"),
        ({"min_seconds": -1}, "minSeconds"),
        ({"cooldown_seconds": -1}, "cooldownSeconds"),
        ({"cooldown_seconds": MAX_SECONDS + 1}, "cooldownSeconds"),
        ({"daily_limit": 0}, "dailyLimit"),
        ({"daily_limit": 1_000_001}, "dailyLimit"),
        ({"proof": "maybe"}, "proof"),
        ({"overlap": "maybe"}, "overlap"),
        ({"ticket": "maybe"}, "ticket"),
    ],
)
def test_what_is_out_of_bounds_is_named(rules: dict[str, Any], word: str):
    with pytest.raises(CatalogueInvalid, match=word) as failure:
        check([action(action_id=ActionId("first")), action(**rules)])
    assert repr(rules.get("action_id", "run")) in str(failure.value)


def test_an_action_stands_once():
    with pytest.raises(CatalogueInvalid, match="twice"):
        check([action(), action(points=2)])
    assert check([]) == []


def test_a_ticket_is_judged_by_its_revision_and_todays_switch():
    old, new = action(points=1), action(points=2)
    run = ActionId("run")
    known = Catalogue({run: Revised(new, 2)}, {(run, 1): old, (run, 2): new})
    assert known.find("run") == Revised(new, 2)
    assert known.find("swim") is None
    assert known.judged_by(run, 1) == old
    assert known.judged_by(run, 2) == new
    assert known.judged_by(run, 3) is None
    assert known.judged_by(ActionId("swim"), 1) is None
    off = Catalogue({run: Revised(msgspec.structs.replace(new, enabled=False), 2)}, known.revisions)
    judged = off.judged_by(run, 1)
    assert judged is not None
    assert (judged.points, judged.enabled) == (1, False)
