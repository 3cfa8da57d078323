"""The shapes of requests and answers: the one place that knows the wire's names."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from actors.frames import rfc3339
from actors.messages import Outcome
from models.api_keys import ApiKey
from models.catalogue import Action
from models.entry import MAX_SCORE
from models.players import Identity

END = r"$(?!\n)"
"""The end of a text: Python's `$` alone also stands before a last line break."""
TEXT = r"^[^\x00]*$"
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}" + END

Text = Annotated[str, Meta(max_length=200, pattern=TEXT)]
Slug = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9-]+" + END)]
Uuid = Annotated[str, Meta(max_length=36, pattern=UUID)]
Username = Annotated[str, Meta(min_length=3, max_length=32, pattern=r"^[A-Za-z0-9_.-]+" + END)]
Password = Annotated[str, Meta(min_length=8, max_length=200, pattern=TEXT)]
DisplayName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+" + END)]
AvatarUrl = Annotated[str, Meta(max_length=500, pattern=r"^https://[^\s\x00-\x1f\x7f\"'<>]+" + END)]


Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+" + END)]
Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=TEXT)]
Actions = Annotated[list[Slug], Meta(min_length=1, max_length=100)]


class Wire(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Root of all bodies: camelCase, unknown fields refused."""


class Register(Wire, frozen=True):
    """A new account."""

    username: Username
    password: Password
    display_name: DisplayName | None = None
    avatar_url: AvatarUrl | None = None
    region: Slug | None = None


class Login(Wire, frozen=True):
    """Name and password of an account."""

    username: Text
    password: Text


class Refresh(Wire, frozen=True):
    """A refresh token, for the next one."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=200, pattern=TEXT)]


class Nothing(Wire, frozen=True):
    """A body without anything in it."""


class IssueTicket(Wire, frozen=True):
    """Asks for a ticket; `build` is the client's own word for its version."""

    action_id: Slug
    proof: Annotated[str, Meta(max_length=4096, pattern=TEXT)] | None = None
    build: Annotated[str, Meta(max_length=64, pattern=TEXT)] | None = None
    hold: bool = False


class Redeem(Wire, frozen=True):
    """Redeems a ticket, a held ticket by its id, or an instant action: exactly one of the three."""

    ticket: Annotated[str, Meta(max_length=4096, pattern=TEXT)] | UnsetType = UNSET
    ticket_id: Uuid | UnsetType = UNSET
    action_id: Slug | UnsetType = UNSET


AnyRedeem = Annotated[
    Redeem,
    Meta(extra_json_schema={"oneOf": [{"required": [name]} for name in ("ticket", "ticketId", "actionId")]}),
]
"""As the description says it: the type alone cannot say "exactly one"."""


class GiveAward(Wire, frozen=True):
    """Points for a player, from another server; without `points` as many as the action is worth."""

    user_id: Uuid
    action_id: Slug
    reason: Reason
    points: Annotated[int, Meta(ge=0, le=MAX_SCORE)] | None = None


class CreateApiKey(Wire, frozen=True):
    """A key for a server; `client_id` is the server's stable name, which may have several keys."""

    client_id: Slug
    actions: Actions
    title: Title | None = None


class ChangeApiKey(Wire, frozen=True):
    """What is to be another of a key; what is left out stays."""

    title: Title | UnsetType = UNSET
    actions: Actions | UnsetType = UNSET


class UserAnswer(Wire, frozen=True):
    """An account as its owner sees it."""

    user_id: str
    username: str
    display_name: str
    avatar_url: str | None
    region: str | None
    role: str


class SessionAnswer(Wire, frozen=True):
    """An access token, what renews it, and whose it is; `expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    user: UserAnswer


class TicketAnswer(Wire, frozen=True):
    """An issued ticket; times are RFC 3339."""

    ticket: str
    ticket_id: str
    action_id: str
    points: int
    issued_at: str
    redeemable_at: str
    expires_at: str


class RedeemAnswer(Wire, frozen=True):
    """What a redemption recorded; `voided` only when it has been reversed since."""

    success: bool
    replayed: bool
    ticket_id: str
    action_id: str | None
    change: int
    new_score: int
    leaderboard_position: int | None
    user_version: int
    voided: bool | UnsetType = UNSET


class PublicKey(Wire, frozen=True):
    """A public key as a JWK (RFC 8037)."""

    kty: str
    crv: str
    use: str
    alg: str
    kid: str
    x: str


class KeySet(Wire, frozen=True):
    """Public keys as a JWK set."""

    keys: list[PublicKey]


class ReceiptAnswer(Wire, frozen=True):
    """A compact JWS."""

    receipt: str


class ActionAnswer(Wire, frozen=True):
    """An enabled action and its rules; durations in seconds."""

    action_id: str
    title: str
    points: int
    min_seconds: int
    max_seconds: int
    cooldown_seconds: int
    daily_limit: int | None
    overlap: str
    ticket: str
    proof: str


class ActionsAnswer(Wire, frozen=True):
    """The enabled actions."""

    actions: list[ActionAnswer]


class ChallengeParameters(Wire, frozen=True):
    """What is to be found: the counter whose derived key begins with a prefix; `data` says for whom and what."""

    algorithm: str
    cost: int
    key_length: int
    key_prefix: str
    nonce: str
    salt: str
    key_signature: str
    expires_at: int
    data: dict[str, str]


class ChallengeAnswer(Wire, frozen=True):
    """An ALTCHA challenge, as its widget takes it."""

    parameters: ChallengeParameters
    signature: str


class PeriodAnswer(Wire, frozen=True):
    """A board's period; `end` is exclusive, null is open."""

    id: str
    start: str | None
    end: str | None


class BoardAnswer(Wire, frozen=True):
    """A board's rules and its present period."""

    board_id: str
    title: str
    fold: str
    window: str
    time_zone: str
    filter: dict[str, str | list[str] | None]
    period: PeriodAnswer | None
    frozen: bool


class BoardsAnswer(Wire, frozen=True):
    """Every board."""

    boards: list[BoardAnswer]


class Season(Wire, frozen=True):
    """A season's ends; times without an offset are of the board's time zone, `id` is the board's unless given."""

    start: datetime
    end: datetime
    id: Slug | None = None


class BoardFilter(Wire, frozen=True):
    """Which entries count; null lets everything pass."""

    actions: Annotated[list[Slug], Meta(max_length=100)] | None = None
    region: Slug | None = None
    group: Slug | None = None


class BoardRules(Wire, frozen=True):
    """What a board is, but for its id."""

    title: Text
    fold: Literal["sum", "best", "last"]
    window: Literal["all", "day", "week", "month", "season"]
    time_zone: Annotated[str, Meta(max_length=64, pattern=TEXT)] = "UTC"
    season: Season | None = None
    filter: BoardFilter = BoardFilter()
    top_size: Annotated[int, Meta(ge=1, le=100)] = 10
    visibility: Literal["public", "hidden"] = "public"


class NewBoard(BoardRules, frozen=True, kw_only=True):
    """A board to define."""

    board_id: Slug


class AdminBoardAnswer(Wire, frozen=True):
    """A board with everything that an admin may set, its revision and its present period."""

    board_id: str
    title: str
    fold: str
    window: str
    time_zone: str
    season: PeriodAnswer | None
    filter: BoardFilter
    top_size: int
    visibility: str
    revision: int
    period: PeriodAnswer | None
    frozen: bool


class AdminBoardsAnswer(Wire, frozen=True):
    """Every board, for admins."""

    entries: list[AdminBoardAnswer]
    next: str | None


class FreezeAnswer(Wire, frozen=True):
    """Whether viewers see a frozen board."""

    board_id: str
    frozen: bool


class EntryAnswer(Wire, frozen=True):
    """One row of a board."""

    rank: int
    user_id: str
    username: str
    display_name: str
    avatar_url: str | None
    score: int
    reached_at: str


class TopAnswer(Wire, frozen=True):
    """A page of a board."""

    board_id: str
    period: str
    epoch: str
    version: int
    as_of: str
    degraded: bool
    total_users: int
    entries: list[EntryAnswer]
    next: str | None


class ResultAnswer(PeriodAnswer, frozen=True):
    """A past period with the latest revision of its frozen result."""

    revision: int
    revised_at: str
    total_users: int


class PeriodsAnswer(Wire, frozen=True):
    """A page of a board's past periods, newest first."""

    board_id: str
    entries: list[ResultAnswer]
    next: str | None


class PlaceAnswer(Wire, frozen=True):
    """A player's place on a board."""

    board_id: str
    period: str
    user_id: str
    username: str
    display_name: str
    avatar_url: str | None
    rank: int
    score: int
    reached_at: str
    percentile: float
    points_to_next_rank: int | None
    points_to_top10: int = msgspec.field(name="pointsToTop10")
    total_users: int


class OwnPlace(Wire, frozen=True):
    """The owner's place on one board; nulls when not on it."""

    board_id: str
    period: str
    rank: int | None
    score: int | None


class MeAnswer(UserAnswer, frozen=True):
    """The owner's profile, score and ranks."""

    score: int
    user_version: int
    boards: list[OwnPlace]


class ApiKeyAnswer(Wire, frozen=True):
    """A server's key without its secret."""

    key_id: str
    client_id: str
    title: str
    actions: list[str]
    created_at: str
    revoked_at: str | None


class NewApiKeyAnswer(ApiKeyAnswer, frozen=True):
    """A new key with its secret, which is shown only here."""

    api_key: str


class ApiKeysAnswer(Wire, frozen=True):
    """A page of keys; `next` is the cursor of the following one."""

    entries: list[ApiKeyAnswer]
    next: str | None


class Health(Wire, frozen=True):
    """The loop turns."""

    status: str


class Readiness(Wire, frozen=True):
    """Whether a pod is ready, what it lacks, and which shared servers are away."""

    ready: bool
    missing: list[str]
    degraded: list[str]


def api_key_fields(key: ApiKey) -> dict[str, Any]:
    """A key's fields as they are shown."""
    return {
        "key_id": key.key_id,
        "client_id": key.client_id,
        "title": key.title,
        "actions": list(key.actions),
        "created_at": rfc3339(key.created_at),
        "revoked_at": None if key.revoked_at is None else rfc3339(key.revoked_at),
    }


def api_key_answer(key: ApiKey) -> ApiKeyAnswer:
    """A key as administrators see it."""
    return ApiKeyAnswer(**api_key_fields(key))


def redeem_answer(outcome: Outcome) -> RedeemAnswer:
    """The answer to a redemption."""
    entry = outcome.entry
    return RedeemAnswer(
        success=True,
        replayed=outcome.replayed,
        ticket_id=entry.entry_id,
        action_id=entry.action_id,
        change=entry.delta,
        new_score=entry.score_after,
        leaderboard_position=outcome.position,
        user_version=entry.user_version,
        voided=True if outcome.voided else UNSET,
    )


def action_answer(action: Action) -> ActionAnswer:
    """An action as clients see it."""
    return ActionAnswer(**{name: getattr(action, name) for name in ActionAnswer.__struct_fields__})


def user_answer(identity: Identity) -> UserAnswer:
    """An account as its owner sees it."""
    profile = identity.profile
    return UserAnswer(
        user_id=profile.user_id,
        username=profile.username,
        display_name=profile.display_name,
        avatar_url=profile.avatar_url,
        region=identity.region,
        role=identity.role,
    )
