"""The shapes of awards by other servers, and of the keys that these show."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from actors.frames import rfc3339
from models.api_keys import ApiKey
from models.entry import MAX_SCORE
from server.wire.fields import TEXT, Slug, Title, Uuid, Wire

Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=TEXT)]
Actions = Annotated[list[Slug], Meta(min_length=1, max_length=100)]


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
