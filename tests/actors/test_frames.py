"""What goes over the wire to viewers, to the byte."""

import json
from hashlib import sha256

import pytest

from actors import frames
from actors.frames import Top, UpdatedPosition
from models.ids import UserId


def row(user: str, score: int, rank: int, name: str = "n") -> UpdatedPosition:
    return UpdatedPosition(UserId(user), name, name.upper(), None, score, rank)


def top(version: int, *rows: UpdatedPosition) -> Top:
    return Top("global", "all", "e1", version, 5, rows)


def test_a_snapshot_holds_the_whole_top():
    shown = json.loads(frames.snapshot(top(3, row("a", 9, 1), row("b", -1, 2))))
    entry = {"userId": "a", "username": "n", "displayName": "N", "avatarUrl": None, "score": 9, "rank": 1}
    assert shown.pop("data") == {"entries": [entry, entry | {"userId": "b", "score": -1, "rank": 2}]}
    assert shown == {"type": "leaderboard.snapshot", "board": "global", "period": "all", "epoch": "e1", "version": 3}


def test_a_delta_holds_what_changed_and_who_left():
    before = top(3, row("a", 9, 1), row("b", 8, 2), row("c", 7, 3))
    after = top(7, row("b", 10, 1), row("a", 9, 2), row("d", 7, 3))
    shown = json.loads(frames.update(before, after))
    assert [one["userId"] for one in shown["data"]["updatedPositions"]] == ["b", "a", "d"]
    assert shown["data"]["removed"] == ["c"]
    assert (shown["type"], shown["version"], shown["previous"]) == ("leaderboard.update", 7, 3)
    assert shown["hash"] == sha256(b"b:10,a:9,d:7").hexdigest()[:16]


def test_a_changed_profile_is_a_change_and_the_same_is_none():
    before = top(1, row("a", 9, 1), row("b", 8, 2))
    shown = json.loads(frames.update(before, top(2, row("a", 9, 1, "new"), row("b", 8, 2))))
    assert [one["username"] for one in shown["data"]["updatedPositions"]] == ["new"]
    assert json.loads(frames.update(before, before))["data"] == {"updatedPositions": [], "removed": []}


def test_the_hash_of_nothing_is_that_of_an_empty_text():
    assert frames.digest_of([]) == sha256(b"").hexdigest()[:16]


@pytest.mark.parametrize(
    ("size", "head"),
    [(5, b"\x81\x05"), (126, b"\x81\x7e\x00\x7e"), (65_536, b"\x81\x7f" + b"\x00" * 5 + b"\x01\x00\x00")],
)
def test_a_text_frame_is_final_and_unmasked(size: int, head: bytes):
    assert frames.text_frame(b"x" * size) == head + b"x" * size


def test_events_have_a_type_and_maybe_more():
    assert json.loads(frames.event("pong")) == {"type": "pong"}
    assert json.loads(frames.event("authenticated", userId="u")) == {"type": "authenticated", "data": {"userId": "u"}}


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_790_000_000_007, "2026-09-21T14:13:20.007Z"),
        (999, "1970-01-01T00:00:00.999Z"),
    ],
)
def test_times_are_rfc_3339_with_milliseconds(at: int, text: str):
    assert frames.rfc3339(at) == text
