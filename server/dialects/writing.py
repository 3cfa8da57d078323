"""From each dialect's write to what it asks for, and from the outcome to its answer."""

from sanic import Request

from actors.messages import Outcome
from server.bodies import decode
from server.dialects.redeeming import Asked, OwnIds
from server.dialects.shapes import (
    AnyObject,
    DoAction,
    DoSignedAction,
    DoTimedAction,
    DoTypedAction,
    NewPosition,
    NewScore,
    NewStatus,
    UpdatedScore,
)
from server.errors import Forbidden
from server.runtime import Runtime
from tickets.client_time import client_time

UPDATED = "Score updated successfully."


async def action(runtime: Runtime, request: Request) -> Asked:
    """A and E: the id alone."""
    session = runtime.tokens.required(request)
    return Asked(session, decode(request, DoAction).action_id)


def new_score(outcome: Outcome) -> NewScore:
    """A's and E's answer."""
    return NewScore(success=True, new_score=outcome.entry.score_after)


async def typed_action(runtime: Runtime, request: Request) -> Asked:
    """B: the id and the action; with an instant one the id may be the client's own."""
    decode(request, AnyObject)  # before its token: what cannot be read may also be D's, whose tokens stand in the body
    session = runtime.tokens.required(request)
    body = decode(request, DoTypedAction)
    own_ids = OwnIds(body.action_type, "b", asked=body.action_type, uuids_only=False)
    return Asked(session, body.action_id, action_type=body.action_type, own_ids=own_ids)


def new_position(outcome: Outcome) -> NewPosition:
    """B's answer."""
    return NewPosition(
        success=True,
        new_score=outcome.entry.score_after,
        leaderboard_position=outcome.position,
        message=UPDATED,
    )


async def timed_action(runtime: Runtime, request: Request) -> Asked:
    """C: the id and the client's time; an unknown UUID may be the client's own, for the action that is configured."""
    session = runtime.tokens.required(request)
    body = decode(request, DoTimedAction)
    default = runtime.settings.c_default_action
    # What is asked never names the action: after another one was configured, a retry is still a retry.
    own_ids = None if default is None else OwnIds(default, "c", asked="", uuids_only=True)
    return Asked(session, body.action_id, client_time=client_time(body.timestamp), own_ids=own_ids)


def new_status(outcome: Outcome) -> NewStatus:
    """C's answer."""
    return NewStatus(status="success", user_id=outcome.entry.user_id, new_score=outcome.entry.score_after)


async def signed_action(runtime: Runtime, request: Request) -> Asked:
    """D: who it is stands in the body, twice."""
    body = decode(request, DoSignedAction)
    session = await runtime.admission.verify(body.auth_token)
    if session.user_id != body.user_id.lower():
        raise Forbidden("the token is another player's")
    return Asked(session, body.action_id)


def updated_score(outcome: Outcome) -> UpdatedScore:
    """D's answer."""
    return UpdatedScore(success=True, message=UPDATED, updated_score=outcome.entry.score_after)
