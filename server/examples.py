"""An example of every shape on the wire; tests hold them against real answers."""

from typing import Any, get_args

import msgspec
from msgspec import Struct

from server import wire

USER = "0f8fad5b-d9cb-469f-a165-70867728950e"
TICKET = "01a1fbf0-11aa-7c3e-9f4e-2d1f6c1f9a00"
KEY = "01a1fbf0-3c5d-7b61-8a1e-9d5c33b0a4f2"
TIMES = ("2026-11-21T09:30:00.000Z", "2026-11-21T09:30:00.000Z", "2026-11-21T10:30:00.000Z")
SIGNED = "lwGkdGVzdA.q8x4o1mJqk0v0d5bJ2p8o5y3mSgT3t7m6nYH9s0cB1E"
TOKEN = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiIwZjhmIn0.c2lnbmF0dXJl"  # noqa: S105
SECRET = "lk_5n0vQm3Xb8mJ0w9cD1fKq2ZrT7uYh4LpA6sGeVxNoIk"  # noqa: S105

_ada: dict[str, Any] = {"user_id": USER, "username": "ada", "display_name": "Ada", "avatar_url": None}
_user: dict[str, Any] = {**_ada, "region": None, "role": "player"}
_key: dict[str, Any] = {
    "key_id": KEY,
    "client_id": "cup",
    "title": "The cup",
    "actions": ["sprint"],
    "created_at": TIMES[0],
    "revoked_at": None,
}
_period = wire.PeriodAnswer(id="all", start=None, end=None)
_place: dict[str, Any] = {"rank": 1, "score": 10}

EXAMPLES: tuple[Struct, ...] = (
    wire.Register(username="ada", password="correct horse battery", display_name="Ada"),  # noqa: S106
    wire.Login(username="ada", password="correct horse battery"),  # noqa: S106
    wire.SessionAnswer(
        access_token=TOKEN,
        token_type="Bearer",  # noqa: S106
        expires_in=3600,
        refresh_token="q1J5cXo0…",  # noqa: S106
        user=wire.UserAnswer(**_user),
    ),
    wire.IssueTicket(action_id="sprint"),
    wire.TicketAnswer(
        ticket=SIGNED,
        ticket_id=TICKET,
        action_id="sprint",
        points=10,
        issued_at=TIMES[0],
        redeemable_at=TIMES[1],
        expires_at=TIMES[2],
    ),
    wire.Redeem(ticket=SIGNED),
    wire.RedeemAnswer(
        success=True,
        replayed=False,
        ticket_id=TICKET,
        action_id="sprint",
        change=10,
        new_score=10,
        leaderboard_position=1,
        user_version=1,
    ),
    wire.ChallengeAnswer(
        parameters=wire.ChallengeParameters(
            algorithm="PBKDF2/SHA-256",
            cost=1000,
            key_length=32,
            key_prefix="0fb1c5b29c1d4e26a7c0f35d1b6a8e94",
            nonce="b5c5f3a8e1d94f0c8a7b6d5e4f3c2b1a",
            salt="9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d",
            key_signature="4f6c" * 16,
            expires_at=1795253400,
            data={"actionId": "vault", "userId": USER},
        ),
        signature="9b1d" * 16,
    ),
    wire.GiveAward(user_id=USER, action_id="sprint", reason="won the cup", points=10),
    wire.CreateApiKey(client_id="cup", title="The cup", actions=["sprint"]),
    wire.ChangeApiKey(title="The cup", actions=["sprint"]),
    wire.ApiKeyAnswer(**_key),
    wire.NewApiKeyAnswer(**_key, api_key=SECRET),
    wire.ApiKeysAnswer(entries=[wire.ApiKeyAnswer(**_key)], next=None),
    wire.ActionsAnswer(
        actions=[
            wire.ActionAnswer(
                action_id="sprint",
                title="Sprint",
                points=10,
                min_seconds=0,
                max_seconds=3600,
                cooldown_seconds=0,
                daily_limit=None,
                overlap="allow",
                ticket="required",
                proof="none",
            )
        ]
    ),
    wire.BoardsAnswer(
        boards=[
            wire.BoardAnswer(
                board_id="global",
                title="All time",
                fold="sum",
                window="all",
                time_zone="UTC",
                filter={"actions": None, "region": None, "group": None},
                period=_period,
                frozen=False,
            )
        ]
    ),
    wire.TopAnswer(
        board_id="global",
        period="all",
        epoch="1a1fbf011aa5f3c9d2e",
        version=1,
        as_of=TIMES[0],
        degraded=False,
        total_users=1,
        entries=[wire.EntryAnswer(**_ada, **_place, reached_at=TIMES[0])],
        next=None,
    ),
    wire.PlaceAnswer(
        board_id="global",
        period="all",
        **_ada,
        **_place,
        reached_at=TIMES[0],
        percentile=100.0,
        points_to_next_rank=None,
        points_to_top10=0,
        total_users=1,
    ),
    wire.MeAnswer(
        **_user,
        score=10,
        user_version=1,
        boards=[wire.OwnPlace(board_id="global", period="all", **_place)],
    ),
    wire.Health(status="ok"),
    wire.Readiness(ready=True, missing=[], degraded=[]),
)

_by_shape: dict[Any, Any] = {type(example): msgspec.to_builtins(example) for example in EXAMPLES}


def example_of(shape: Any) -> Any:
    """The example of a shape as it stands on the wire, or None."""
    if shape in _by_shape:
        return _by_shape[shape]
    return next((_by_shape[part] for part in get_args(shape)[:1] if part in _by_shape), None)
