"""The shapes of actions and groups, as administrators make them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from models.catalogue import Revised
from models.groups import Group
from server.wire import END, ActionAnswer, Slug, Wire
from server.wire_admin import Score

Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+" + END)]
Int32 = Annotated[int, Meta(ge=0, le=2**31 - 1)]


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
    points: Score
    min_seconds: Int32 = 0
    max_seconds: Int32 = 3_600
    cooldown_seconds: Int32 = 0
    daily_limit: Int32 | None = None
    overlap: str = "forbid"
    ticket: str = "required"
    proof: str = "none"
    enabled: bool = True


class NewAction(ActionRules, frozen=True, kw_only=True):
    """A new action and its rules."""

    action_id: Slug


class ChangedRules(Wire, frozen=True):
    """The rules of an action that are to be others; what is left out stays."""

    title: Title | UnsetType = UNSET
    points: Score | UnsetType = UNSET
    min_seconds: Int32 | UnsetType = UNSET
    max_seconds: Int32 | UnsetType = UNSET
    cooldown_seconds: Int32 | UnsetType = UNSET
    daily_limit: Int32 | UnsetType | None = UNSET
    overlap: str | UnsetType = UNSET
    ticket: str | UnsetType = UNSET
    proof: str | UnsetType = UNSET
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


def group_answer(group: Group) -> GroupAnswer:
    """A group."""
    return GroupAnswer(group_id=group.group_id, title=group.title)


def admin_action_answer(revised: Revised) -> AdminActionAnswer:
    """An action as administrators see it."""
    rules = {name: getattr(revised.action, name) for name in (*ActionAnswer.__struct_fields__, "enabled")}
    return AdminActionAnswer(**rules, revision=revised.revision)
