"""The shapes of actions and groups: as clients see them, and as administrators make them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from models.catalogue import MAX_DAILY, MAX_POINTS, MAX_SECONDS, Action, Revised
from models.groups import Group
from server.wire.fields import Slug, Title, Wire

Points = Annotated[int, Meta(ge=0, le=MAX_POINTS)]
Seconds = Annotated[int, Meta(ge=0, le=MAX_SECONDS)]
Longest = Annotated[int, Meta(ge=1, le=MAX_SECONDS)]
Daily = Annotated[int, Meta(ge=1, le=MAX_DAILY)]
Overlap = Literal["forbid", "allow"]
Ticket = Literal["required", "instant"]
Proof = Literal["none", "always", "adaptive"]


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


class NewGroup(Wire, frozen=True):
    """A group that players may join."""

    group_id: Slug
    title: Title


class GroupTitle(Wire, frozen=True):
    """What a group is called from now on."""

    title: Title


class ActionRules(Wire, frozen=True):
    """All rules of an action; durations in seconds."""

    title: Title
    points: Points
    min_seconds: Seconds = 0
    max_seconds: Longest = 3_600
    cooldown_seconds: Seconds = 0
    daily_limit: Daily | None = None
    overlap: Overlap = "forbid"
    ticket: Ticket = "required"
    proof: Proof = "none"
    enabled: bool = True


class NewAction(ActionRules, frozen=True, kw_only=True):
    """A new action and its rules."""

    action_id: Slug


class ChangedRules(Wire, frozen=True):
    """The rules of an action that are to be others; what is left out stays."""

    title: Title | UnsetType = UNSET
    points: Points | UnsetType = UNSET
    min_seconds: Seconds | UnsetType = UNSET
    max_seconds: Longest | UnsetType = UNSET
    cooldown_seconds: Seconds | UnsetType = UNSET
    daily_limit: Daily | UnsetType | None = UNSET
    overlap: Overlap | UnsetType = UNSET
    ticket: Ticket | UnsetType = UNSET
    proof: Proof | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class AdminActionAnswer(ActionAnswer, frozen=True):
    """An action with the number of its present revision."""

    enabled: bool
    revision: int


class AdminActionsAnswer(Wire, frozen=True):
    """A page of the catalogue, disabled actions too."""

    entries: list[AdminActionAnswer]
    next: str | None


class GroupAnswer(Wire, frozen=True):
    """A group."""

    group_id: str
    title: str


class AdminGroupsAnswer(Wire, frozen=True):
    """A page of groups."""

    entries: list[GroupAnswer]
    next: str | None


def action_answer(action: Action) -> ActionAnswer:
    """An action as clients see it."""
    return ActionAnswer(**{name: getattr(action, name) for name in ActionAnswer.__struct_fields__})


def group_answer(group: Group) -> GroupAnswer:
    """A group."""
    return GroupAnswer(group_id=group.group_id, title=group.title)


def admin_action_answer(revised: Revised) -> AdminActionAnswer:
    """An action as administrators see it."""
    rules = {name: getattr(revised.action, name) for name in (*ActionAnswer.__struct_fields__, "enabled")}
    return AdminActionAnswer(**rules, revision=revised.revision)
