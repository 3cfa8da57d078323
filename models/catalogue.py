"""The catalogue: actions, their rules and the revisions of these."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from models.database import Database, sql
from models.errors import CatalogueInvalid
from models.ids import ActionId, is_slug

MAX_POINTS = 1_000_000_000
"""Most points of one action: 9 million such redemptions fit into a score."""
MAX_TITLE = 200
MAX_DAILY = 1_000_000
MAX_SECONDS = 30 * 86_400
"""Longest duration of any rule: 30 days."""


class Action(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An action and the rules that its tickets are judged by; durations in seconds."""

    action_id: ActionId
    title: str
    points: int
    min_seconds: int = 0
    max_seconds: int = 3_600
    cooldown_seconds: int = 0
    daily_limit: int | None = None
    overlap: str = "forbid"
    ticket: str = "required"
    proof: str = "none"
    enabled: bool = True


class Revised(msgspec.Struct, frozen=True):
    """An action with the number of its revision; `enabled` is the action's, not the revision's."""

    action: Action
    revision: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every revision of every action, and which is the present one."""

    present: Mapping[ActionId, Revised]
    revisions: Mapping[tuple[ActionId, int], Action]

    def find(self, action_id: str) -> Revised | None:
        """The present revision of an action."""
        return self.present.get(ActionId(action_id))

    def judged_by(self, action_id: ActionId, revision: int) -> Action | None:
        """The rules of a revision, with today's word on whether the action is enabled."""
        rules, present = self.revisions.get((action_id, revision)), self.present.get(action_id)
        if rules is None or present is None:
            return None
        return rules if present.action.enabled else msgspec.structs.replace(rules, enabled=False)


def check(actions: Iterable[Action]) -> list[Action]:
    """The actions, each within its bounds and named once; raises CatalogueInvalid with the first fault."""
    seen: set[str] = set()
    checked = list(actions)
    for action in checked:
        fault = _fault(action) or ("stands twice" if action.action_id in seen else None)
        if fault:
            raise CatalogueInvalid(f"action {action.action_id!r}: {fault}")
        seen.add(action.action_id)
    return checked


def _fault(action: Action) -> str | None:
    limit = action.daily_limit
    faults = [
        (not is_slug(action.action_id), "actionId must be a slug of [a-z0-9-]{1,64}"),
        (
            not 0 < len(action.title) <= MAX_TITLE or not action.title.isprintable(),
            f"title must have 1 to {MAX_TITLE} printable characters",
        ),
        (not 0 <= action.points <= MAX_POINTS, f"points must lie in 0 to {MAX_POINTS}"),
        (action.max_seconds <= 0, "maxSeconds must be positive"),
        (action.min_seconds >= action.max_seconds, "minSeconds must be less than maxSeconds"),
        (limit is not None and not 1 <= limit <= MAX_DAILY, f"dailyLimit must lie in 1 to {MAX_DAILY}"),
        (not 0 <= action.min_seconds <= MAX_SECONDS, f"minSeconds must be 0 to {MAX_SECONDS}"),
        (not 0 <= action.max_seconds <= MAX_SECONDS, f"maxSeconds must be 0 to {MAX_SECONDS}"),
        (not 0 <= action.cooldown_seconds <= MAX_SECONDS, f"cooldownSeconds must be 0 to {MAX_SECONDS}"),
        (action.overlap not in ("forbid", "allow"), "overlap must be one of forbid, allow"),
        (action.ticket not in ("required", "instant"), "ticket must be one of required, instant"),
        (action.proof not in ("none", "always", "adaptive"), "proof must be one of none, always, adaptive"),
        (action.ticket == "instant" and action.proof != "none", "an instant action has no start to ask a proof for"),
    ]
    return next((text for wrong, text in faults if wrong), None)


LOAD = sql("catalogue")

SAVE = sql("save_actions")
CREATE = sql("create_action")
REVISE = sql("revise_action")

FIELDS = ("action_id", "title", "points", "min_seconds", "max_seconds", "cooldown_seconds", "daily_limit")
WORDS = ("overlap", "ticket", "proof", "enabled")


async def load(database: Database) -> Catalogue:
    """The whole catalogue; raises DatabaseUnavailable."""
    present: dict[ActionId, Revised] = {}
    revisions: dict[tuple[ActionId, int], Action] = {}
    for row in await database.rows(LOAD):
        is_present, revision = row.pop("present"), row.pop("revision")
        action = Action(**row)
        revisions[(action.action_id, revision)] = action
        if is_present:
            present[action.action_id] = Revised(action, revision)
    return Catalogue(present, revisions)


async def save(database: Database, actions: Iterable[Action]) -> int:
    """Adds or changes actions, a changed one as a new revision, and tells every pod; their number.

    Raises CatalogueInvalid before anything is written.
    """
    checked = check(actions)
    columns = [[getattr(action, name) for action in checked] for name in FIELDS + WORDS]
    return len(await database.rows(SAVE, *columns))


async def create(database: Database, action: Action) -> bool:
    """Adds an action and tells every pod; False when there is one of this id. Raises CatalogueInvalid."""
    (checked,) = check([action])
    return bool(await database.rows(CREATE, *_values(checked)))


async def revise(database: Database, action: Action, revision: int) -> bool:
    """Changes an action whose present revision is a given one, and tells every pod; False when it is another by now.

    Raises CatalogueInvalid.
    """
    (checked,) = check([action])
    return bool(await database.rows(REVISE, *_values(checked), revision))


def _values(action: Action) -> list[object]:
    return [getattr(action, name) for name in FIELDS + WORDS]
