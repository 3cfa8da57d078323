"""What administrators do to players: told to actors, once per key."""

from sanic import Request

from actors.errors import PlayerUnknown
from actors.messages import Command, Outcome
from models.ids import UserId
from models.proposal import IdempotencyKey
from server.auth import Session
from server.errors import NotFound
from server.routes.tickets import idempotency_key
from server.runtime import Runtime


def admin_key(request: Request, session: Session, *asked: str) -> IdempotencyKey | None:
    """The key of an administrator's request, which is theirs alone; raises InvalidRequest."""
    return idempotency_key(f"admin:{session.user_id}", request.headers.get("idempotency-key"), *asked)


async def tell_player(runtime: Runtime, user_id: UserId, command: Command) -> Outcome:
    """What became of a command about a player; raises NotFound, TicketError, ActorError or ModelError."""
    try:
        return await runtime.tell(user_id, command)
    except PlayerUnknown as error:
        raise NotFound("there is no such player") from error
