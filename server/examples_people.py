"""An example of every shape of what players do to themselves and with one another."""

from typing import Any

from msgspec import Struct

from server import wire, wire_people
from server.examples import ADA, PLACE, SESSION, TICKET, TIMES, USER
from server.examples_admin import MEMBER, RECORD

BEN: dict[str, Any] = {
    "user_id": "3f2b8c1e-7a4d-4e0b-9c55-1d2e3f4a5b6c",
    "username": "ben",
    "display_name": "Ben",
    "avatar_url": None,
}

_own = {name: value for name, value in RECORD.items() if name in wire_people.OwnRecord.__struct_fields__}
_friend = wire_people.FriendAnswer(**BEN, since=TIMES[0])
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
    wire.Refresh(refresh_token="q1J5cXo0…"),  # noqa: S106
    wire.ReceiptAnswer(receipt="eyJhbGciOiJFZERTQSIsImtpZCI6InIxIn0.eyJjaGFuZ2UiOjEwfQ.c2lnbmF0dXJl"),
    wire.KeySet(
        keys=[
            wire.PublicKey(
                kty="OKP",
                crv="Ed25519",
                use="sig",
                alg="EdDSA",
                kid="r1",
                x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            )
        ]
    ),
    wire_people.EditMe(display_name="Ada L."),
    wire_people.SubsetOf(user_ids=[USER]),
    wire_people.OwnRecords(entries=[wire_people.OwnRecord(**_own)], next=None),
    wire_people.FriendsAnswer(entries=[_friend], next=None),
    wire_people.OpenGroups(
        entries=[wire_people.OpenGroup(group_id="red-team", title="The red team", member=False)], next=None
    ),
    wire_people.SubsetAnswer(**_facts, entries=[wire.EntryAnswer(**ADA, **PLACE, reached_at=TIMES[0])]),
    wire_people.FriendsBoard(
        **_facts, entries=[wire_people.FriendEntry(**ADA, **PLACE, reached_at=TIMES[0], board_rank=1)]
    ),
    wire_people.Exported(
        profile=MEMBER,
        friends=[_friend],
        held_tickets=[wire_people.HeldTicket(ticket_id=TICKET, expires_at=TIMES[2])],
        sessions=[wire_people.OwnSession(session_id=SESSION, created_at=TIMES[0], expires_at=TIMES[2], ended_at=None)],
        entries=[wire_people.OwnRecord(**_own)],
    ),
)
