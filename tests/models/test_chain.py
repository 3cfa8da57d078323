"""The seal changes with every field, and with what came before."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from models.chain import GENESIS, Chain
from models.entry import Entry, Kind
from models.ids import ActionId, EntryId, UserId
from models.proposal import Draft, IdempotencyKey, propose
from models.state import PlayerState

OLD, NEW = bytes(32), bytes(range(32))
CHAIN = Chain({"old": OLD, "new": NEW}, "new")
ENTRY = Entry(
    entry_id=EntryId("e"),
    kind=Kind.REDEEM,
    user_id=UserId("u"),
    user_version=4,
    action_id=ActionId("run"),
    action_revision=2,
    delta=5,
    score_after=25,
    at=1_000,
    effective_at=1_000,
    target_id=None,
    region="north",
    groups=("red", "blue"),
    caller=None,
    meta={"build": "1", "issuedAt": 7},
)
OTHERS: dict[str, list[Any]] = {
    "entry_id": ["f", "e "],
    "kind": [Kind.AWARD],
    "user_id": ["v"],
    "user_version": [5],
    "action_id": ["swim", None],
    "action_revision": [3, None],
    "delta": [6, -5],
    "score_after": [26],
    "at": [1_001],
    "effective_at": [999],
    "target_id": ["e"],
    "region": ["south", None, ""],
    "groups": [("blue", "red"), ("red",), (), ("redblue",), ("red", "blue", "green")],
    "caller": ["x", ""],
    "meta": [
        {},
        {"build": "2", "issuedAt": 7},
        {"build": "1"},
        {"build": "1", "issuedAt": 8},
        {"build": "1", "issuedAt": "7"},
        {"build": "1", "x": 7},
    ],
}


def test_every_field_is_named_here():
    assert set(OTHERS) == set(Entry.__struct_fields__)


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in OTHERS.items() for value in values])
def test_the_seal_changes_with_every_field(field: str, value: Any):
    other = msgspec.structs.replace(ENTRY, **{field: value})
    assert CHAIN.seal(None, other) != CHAIN.seal(None, ENTRY)
    assert not CHAIN.holds(None, other, "new", CHAIN.seal(None, ENTRY))


def test_values_do_not_flow_from_one_field_into_the_next():
    one = msgspec.structs.replace(ENTRY, region="ab", caller="c")
    other = msgspec.structs.replace(ENTRY, region="a", caller="bc")
    assert CHAIN.seal(None, one) != CHAIN.seal(None, other)


def test_the_order_of_meta_does_not_matter():
    turned = msgspec.structs.replace(ENTRY, meta={"issuedAt": 7, "build": "1"})
    assert CHAIN.seal(None, turned) == CHAIN.seal(None, ENTRY)


def test_the_seal_changes_with_what_came_before_and_with_the_key():
    seal = CHAIN.seal(None, ENTRY)
    assert seal == CHAIN.seal(GENESIS, ENTRY)
    assert len({seal, CHAIN.seal(seal, ENTRY), Chain({"old": OLD}, "old").seal(None, ENTRY)}) == 3


def test_old_keys_verify_under_their_own_id_only():
    seal = Chain({"old": OLD}, "old").seal(None, ENTRY)
    assert CHAIN.holds(None, ENTRY, "old", seal)
    assert not CHAIN.holds(None, ENTRY, "new", seal)
    assert not CHAIN.holds(None, ENTRY, "gone", seal)
    assert not CHAIN.holds(None, ENTRY, "old", b"")


def test_a_proposal_stands_behind_the_states_last_entry():
    state = PlayerState(UserId("u"), version=3, score=20, last_hash=b"\x01" * 32, banned_until=9)
    key = IdempotencyKey("scope", "key", b"hash")
    draft = Draft(EntryId("e"), Kind.AWARD, 5, None, "north", ("red",), caller="c", meta={"reason": "x"}, key=key)
    proposal = propose(state, draft, 1_000, CHAIN)
    entry = proposal.entry
    assert (entry.user_version, entry.score_after, entry.at, entry.effective_at) == (4, 25, 1_000, 1_000)
    assert (proposal.expected_version, proposal.banned_until, proposal.key) == (3, None, key)
    assert proposal.audit_key == "new"
    assert CHAIN.holds(state.last_hash, entry, "new", proposal.seal)
    assert not CHAIN.holds(None, entry, "new", proposal.seal)
    dated = propose(state, replace(draft, effective_at=5), 1_000, CHAIN).entry
    assert (dated.at, dated.effective_at) == (1_000, 5)
