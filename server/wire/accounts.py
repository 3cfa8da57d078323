"""The shapes of accounts and their sessions."""

from typing import Annotated

from msgspec import Meta

from models.players import Identity
from server.wire.fields import TEXT, AvatarUrl, DisplayName, Password, Slug, Text, Username, Wire


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
