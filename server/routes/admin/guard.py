"""Who may administer."""

from sanic import Request

from server.auth import ADMIN, Session
from server.errors import Forbidden
from server.runtime import Runtime


def admin(request: Request) -> Session:
    """The caller's session if it is an administrator's; raises TokenMissing, TokenInvalid, TokenExpired, Forbidden."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    if session.role != ADMIN:
        raise Forbidden("this is for administrators")
    return session
