"""A viewer that folds deltas holds the server's top, whatever it missed in between."""

import json
from hashlib import sha256
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors import frames
from actors.frames import Top, UpdatedPosition
from models.ids import UserId

USERS = [UserId(f"user-{number}") for number in range(14)]
PLACED = st.lists(
    st.tuples(st.sampled_from(USERS), st.integers(-3, 3), st.sampled_from(["a", "b"])),
    max_size=10,
    unique_by=lambda placed: placed[0],
)
TOPS = st.lists(PLACED, min_size=2, max_size=6)


def top_of(version: int, placed: list[tuple[UserId, int, str]]) -> Top:
    ordered = sorted(placed, key=lambda one: (-one[1], one[0]))
    rows = [
        UpdatedPosition(user, user.upper(), name, None if name == "a" else "https://a.example/x.png", score, rank)
        for rank, (user, score, name) in enumerate(ordered, start=1)
    ]
    return Top("global", "all", "e1", version, 0, tuple(rows))


class Client:
    """Folds frames as the contract tells a client to, knowing nothing of the server's code."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        assert snapshot["type"] == "leaderboard.snapshot"
        self.version = snapshot["version"]
        self.rows = {row["userId"]: row for row in snapshot["data"]["entries"]}

    def fold(self, delta: dict[str, Any]) -> None:
        assert delta["type"] == "leaderboard.update"
        assert delta["previous"] == self.version
        self.version = delta["version"]
        for gone in delta["data"]["removed"]:
            del self.rows[gone]
        for row in delta["data"]["updatedPositions"]:
            self.rows[row["userId"]] = row
        assert delta["hash"] == self.digest()

    def ranked(self) -> list[dict[str, Any]]:
        return sorted(self.rows.values(), key=lambda row: row["rank"])

    def digest(self) -> str:
        text = ",".join(f"{row['userId']}:{row['score']}" for row in self.ranked())
        return sha256(text.encode()).hexdigest()[:16]


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(TOPS, st.data())
def test_folding_deltas_gives_the_servers_top(placed: list[list[tuple[UserId, int, str]]], data: st.DataObject):
    tops = [top_of(version, one) for version, one in enumerate(placed)]
    at = data.draw(st.integers(0, len(tops) - 1))
    client = Client(json.loads(frames.snapshot(tops[at])))
    while at < len(tops) - 1:
        after = data.draw(st.integers(at + 1, len(tops) - 1))
        delta = json.loads(frames.update(tops[at], tops[after]))
        client.fold(delta)
        at = after
        snapshot = json.loads(frames.snapshot(tops[at]))
        assert client.ranked() == snapshot["data"]["entries"]
        assert client.version == tops[at].version


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(PLACED, PLACED)
def test_a_delta_names_exactly_what_changed(before: list[Any], after: list[Any]):
    old, new = top_of(1, before), top_of(2, after)
    delta = json.loads(frames.update(old, new))["data"]
    held = {row.user_id: row for row in old.rows}
    changed = [row.user_id for row in new.rows if held.get(row.user_id) != row]
    assert [row["userId"] for row in delta["updatedPositions"]] == changed
    assert set(delta["removed"]) == set(held) - {row.user_id for row in new.rows}
