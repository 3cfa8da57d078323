"""An example of every shape of what players do to themselves and with one another."""

from typing import Any

from msgspec import Struct

from server.examples import ADA, PLACE, SESSION, TICKET, TIMES, USER
from server.examples_admin import MEMBER, RECORD
from server.wire.accounts import Refresh
from server.wire.people import (
    EditMe,
    Exported,
    FriendAnswer,
    FriendsAnswer,
    HeldTicket,
    OpenGroup,
    OpenGroups,
    OwnRecord,
    OwnRecords,
    OwnSession,
)
from server.wire.receipts import KeySet, PublicKey, ReceiptAnswer
from server.wire.standings import EntryAnswer, FriendEntry, FriendsBoard, SubsetAnswer, SubsetOf

BEN: dict[str, Any] = {
    "user_id": "3f2b8c1e-7a4d-4e0b-9c55-1d2e3f4a5b6c",
    "username": "ben",
    "display_name": "Ben",
    "avatar_url": None,
}

_own = {name: value for name, value in RECORD.items() if name in OwnRecord.__struct_fields__}
_friend = FriendAnswer(**BEN, since=TIMES[0])
_facts: dict[str, Any] = {
    "board_id": "global",
    "period": "all",
    "epoch": "1a1fbf011aa5f3c9d2e",
    "version": 1,
    "as_of": TIMES[0],
    "degraded": False,
    "total_users": 1,
}

EXAMPLES: tuple[Struct, ...] = (
    Refresh(refresh_token="q1J5cXo0…"),  # noqa: S106
    ReceiptAnswer(receipt="eyJhbGciOiJFZERTQSIsImtpZCI6InIxIn0.eyJjaGFuZ2UiOjEwfQ.c2lnbmF0dXJl"),
    KeySet(
        keys=[
            PublicKey(
                kty="OKP",
                crv="Ed25519",
                use="sig",
                alg="EdDSA",
                kid="r1",
                x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            )
        ]
    ),
    EditMe(display_name="Ada L."),
    SubsetOf(user_ids=[USER]),
    OwnRecords(entries=[OwnRecord(**_own)], next=None),
    FriendsAnswer(entries=[_friend], next=None),
    OpenGroups(entries=[OpenGroup(group_id="red-team", title="The red team", member=False)], next=None),
    SubsetAnswer(**_facts, entries=[EntryAnswer(**ADA, **PLACE, reached_at=TIMES[0])]),
    FriendsBoard(**_facts, entries=[FriendEntry(**ADA, **PLACE, reached_at=TIMES[0], board_rank=1)]),
    Exported(
        profile=MEMBER,
        identity=None,
        friends=[_friend],
        held_tickets=[HeldTicket(ticket_id=TICKET, expires_at=TIMES[2])],
        sessions=[OwnSession(session_id=SESSION, created_at=TIMES[0], expires_at=TIMES[2], ended_at=None)],
        entries=[OwnRecord(**_own)],
    ),
)
