"""An example of every shape that players and servers send and get; tests hold them against real answers."""

from typing import Any

from msgspec import Struct

from server.wire.accounts import Login, Register, SessionAnswer, UserAnswer
from server.wire.awards import ApiKeyAnswer, ApiKeysAnswer, ChangeApiKey, CreateApiKey, GiveAward, NewApiKeyAnswer
from server.wire.boards import BoardAnswer, BoardsAnswer
from server.wire.catalogue import ActionAnswer, ActionsAnswer
from server.wire.challenges import ChallengeAnswer, ChallengeParameters
from server.wire.people import MeAnswer, OwnPlace
from server.wire.periods import PeriodAnswer, PeriodsAnswer, ResultAnswer
from server.wire.probes import Health, Readiness
from server.wire.standings import EntryAnswer, PlaceAnswer, TopAnswer
from server.wire.tickets import IssueTicket, Redeem, RedeemAnswer, TicketAnswer

USER = "0f8fad5b-d9cb-469f-a165-70867728950e"
TICKET = "01a1fbf0-11aa-7c3e-9f4e-2d1f6c1f9a00"
ADMIN = "8c5e1f6a-2d3b-4c7e-a9f0-6b1d2e3f4a5c"
SESSION = "5d0c9b8a-1e2f-4a3b-8c7d-9e0f1a2b3c4d"
KEY = "01a1fbf0-3c5d-7b61-8a1e-9d5c33b0a4f2"
TIMES = ("2026-11-21T09:30:00.000Z", "2026-11-21T09:30:00.000Z", "2026-11-21T10:30:00.000Z")
SIGNED = "lwGkdGVzdA.q8x4o1mJqk0v0d5bJ2p8o5y3mSgT3t7m6nYH9s0cB1E"
TOKEN = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiIwZjhmIn0.c2lnbmF0dXJl"  # noqa: S105
SECRET = "lk_5n0vQm3Xb8mJ0w9cD1fKq2ZrT7uYh4LpA6sGeVxNoIk"  # noqa: S105

ADA: dict[str, Any] = {"user_id": USER, "username": "ada", "display_name": "Ada", "avatar_url": None}
ADA_USER: dict[str, Any] = {**ADA, "region": None, "role": "player"}
_key: dict[str, Any] = {
    "key_id": KEY,
    "client_id": "cup",
    "title": "The cup",
    "actions": ["sprint"],
    "created_at": TIMES[0],
    "revoked_at": None,
}
_period = PeriodAnswer(id="all", start=None, end=None)
PLACE: dict[str, Any] = {"rank": 1, "score": 10}

EXAMPLES: tuple[Struct, ...] = (
    Register(username="ada", password="correct horse battery", display_name="Ada"),  # noqa: S106
    Login(username="ada", password="correct horse battery"),  # noqa: S106
    SessionAnswer(
        access_token=TOKEN,
        token_type="Bearer",  # noqa: S106
        expires_in=3600,
        refresh_token="q1J5cXo0…",  # noqa: S106
        user=UserAnswer(**ADA_USER),
    ),
    IssueTicket(action_id="sprint"),
    TicketAnswer(
        ticket=SIGNED,
        ticket_id=TICKET,
        action_id="sprint",
        points=10,
        issued_at=TIMES[0],
        redeemable_at=TIMES[1],
        expires_at=TIMES[2],
    ),
    Redeem(ticket=SIGNED),
    RedeemAnswer(
        success=True,
        replayed=False,
        ticket_id=TICKET,
        action_id="sprint",
        change=10,
        new_score=10,
        leaderboard_position=1,
        user_version=1,
    ),
    ChallengeAnswer(
        parameters=ChallengeParameters(
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
    GiveAward(user_id=USER, action_id="sprint", reason="won the cup", points=10),
    CreateApiKey(client_id="cup", title="The cup", actions=["sprint"]),
    ChangeApiKey(title="The cup", actions=["sprint"]),
    ApiKeyAnswer(**_key),
    NewApiKeyAnswer(**_key, api_key=SECRET),
    ApiKeysAnswer(entries=[ApiKeyAnswer(**_key)], next=None),
    ActionsAnswer(
        actions=[
            ActionAnswer(
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
    BoardsAnswer(
        boards=[
            BoardAnswer(
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
    TopAnswer(
        board_id="global",
        period="all",
        epoch="1a1fbf011aa5f3c9d2e",
        version=1,
        as_of=TIMES[0],
        degraded=False,
        total_users=1,
        entries=[EntryAnswer(**ADA, **PLACE, reached_at=TIMES[0])],
        next=None,
    ),
    PeriodsAnswer(
        board_id="weekly",
        entries=[
            ResultAnswer(id="2026-W46", start=TIMES[0], end=TIMES[2], revision=1, revised_at=TIMES[2], total_users=1)
        ],
        next=None,
    ),
    PlaceAnswer(
        board_id="global",
        period="all",
        **ADA,
        **PLACE,
        reached_at=TIMES[0],
        percentile=100.0,
        points_to_next_rank=None,
        points_to_top10=0,
        total_users=1,
    ),
    MeAnswer(
        **ADA_USER,
        score=10,
        user_version=1,
        boards=[OwnPlace(board_id="global", period="all", **PLACE)],
    ),
    Health(status="ok"),
    Readiness(ready=True, missing=[], degraded=[]),
)
