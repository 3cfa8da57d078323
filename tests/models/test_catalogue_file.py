"""The catalogue's two forms say the same; what is wrong is named."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import catalogue
from models.catalogue import MAX_POINTS, MAX_SECONDS, Action, check
from models.catalogue_file import SAMPLE, read_csv, read_json, seed_if_empty, write_csv, write_json
from models.database import Database
from models.errors import CatalogueInvalid
from models.migrate import migrate

TITLES = st.text("aZ ß漢🎉,;\"'|\\", min_size=1, max_size=200)
"""What tables trip over: quotes, separators, letters of several bytes."""


@st.composite
def actions(draw: st.DrawFn) -> Action:
    longest = draw(st.integers(1, MAX_SECONDS))
    ticket = draw(st.sampled_from(["required", "instant"]))
    return Action(
        action_id=draw(st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=64)),
        title=draw(TITLES),
        points=draw(st.integers(0, MAX_POINTS)),
        min_seconds=draw(st.integers(0, longest - 1)),
        max_seconds=longest,
        cooldown_seconds=draw(st.integers(0, MAX_SECONDS)),
        daily_limit=draw(st.none() | st.integers(1, 1_000_000)),
        overlap=draw(st.sampled_from(["forbid", "allow"])),
        ticket=ticket,
        proof="none" if ticket == "instant" else draw(st.sampled_from(["none", "always", "adaptive"])),
        enabled=draw(st.booleans()),
    )


@given(st.lists(actions(), unique_by=lambda action: action.action_id, max_size=5))
def test_both_forms_keep_everything(some: list[Action]):
    some.sort(key=lambda action: action.action_id)
    assert read_json(write_json(some)) == some
    assert read_csv(write_csv(some)) == some


def test_sample_is_the_same_in_both_forms():
    text = SAMPLE.read_text()
    assert write_json(read_json(text)) == text
    assert read_csv(SAMPLE.with_suffix(".csv").read_text()) == read_json(text)


def test_sprint_of_the_sample_has_no_rule_but_its_end():
    """Load tests redeem as fast as they can."""
    sprint = next(action for action in read_json(SAMPLE.read_bytes()) if action.action_id == "sprint")
    assert (sprint.min_seconds, sprint.cooldown_seconds, sprint.daily_limit, sprint.overlap) == (0, 0, None, "allow")


def test_empty_cells_and_missing_columns_mean_the_default():
    (action,) = read_csv("actionId,title,points,minSeconds,enabled\nhop,Hop,3,,TRUE\n")
    assert action == Action(action_id="hop", title="Hop", points=3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("actionId,title,points\nhop,Hop,1,2\n", "line 2: more cells than there are columns"),
        ("", "line 1: the first line must name the columns"),
        ("\nactionId,title,points\nhop,Hop,1\n", "line 1: the first line must name the columns"),
        ("actionId,title,points,actionId\nhop,Hop,1,hip\n", "line 1: a column stands twice"),
        ("actionId,title\nhop,Hop\n", "line 2: .*points"),
        ('actionId,title,points\nhop,"Hop,1\n', "unexpected end of data"),
        ("actionId,title,points\nhop,Hop,1.5\n", "line 2: .*points"),
    ],
)
def test_wrong_table_is_named_by_its_line(text: str, words: str):
    with pytest.raises(CatalogueInvalid, match=words):
        read_csv(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "Expected `object`"),
        ('{"actions": [], "more": 1}', "unknown field `more`"),
        ('{"actions": [{"actionId": "hop", "title": "Hop", "points": 1, "speed": 2}]}', r"speed.*\$\.actions"),
        ('{"actions": [{"actionId": "hop", "title": "Hop", "points": 1e400}]}', "actions"),
        ('{"actions": [{"actionId": "hop", "title": "Hop", "points": 1, "points": 2}]}', "a name stands twice"),
        (b"\xff", "."),
    ],
)
def test_wrong_document_is_named_by_its_place(text: str | bytes, words: str):
    with pytest.raises(CatalogueInvalid, match=words):
        read_json(text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"action_id": "Hop"}, "actionId must be a slug"),
        ({"title": ""}, "title must have"),
        ({"title": "a\x00"}, "title must have"),
        ({"points": -1}, "points must lie"),
        ({"points": MAX_POINTS + 1}, "points must lie"),
        ({"max_seconds": 0}, "maxSeconds must be positive"),
        ({"max_seconds": MAX_SECONDS + 1}, "must be 0 to"),
        ({"min_seconds": 3_600}, "minSeconds must be less than maxSeconds"),
        ({"min_seconds": -1}, "must be 0 to"),
        ({"cooldown_seconds": -1}, "must be 0 to"),
        ({"daily_limit": 0}, "dailyLimit must lie"),
        ({"overlap": "maybe"}, "overlap must be one of"),
        ({"ticket": "none"}, "ticket must be one of"),
        ({"proof": "some"}, "proof must be"),
    ],
)
def test_rule_that_is_broken_is_named(change: dict[str, object], words: str):
    with pytest.raises(CatalogueInvalid, match=words):
        check([Action(**{"action_id": "hop", "title": "Hop", "points": 1} | change)])


async def test_only_an_empty_database_gets_the_sample(database_url: str):
    await migrate(database_url)
    assert await seed_if_empty(database_url) == 10
    assert await seed_if_empty(database_url) == 0
    database = Database(database_url)
    await database.open()
    try:
        present = (await catalogue.load(database)).present
        assert sorted((r.action for r in present.values()), key=lambda a: a.action_id) == read_json(SAMPLE.read_bytes())
        assert {revised.revision for revised in present.values()} == {1}
    finally:
        await database.close()
