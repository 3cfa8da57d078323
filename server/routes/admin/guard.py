"""Who may pass to the routes for admins."""

from sanic import Request

from server.auth import ADMIN, Session
from server.errors import Forbidden
from server.runtime import Runtime


def admin(request: Request) -> Session:
    """The session of an admin; raises Forbidden, and what `Tokens.required` raises."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    if session.role != ADMIN:
        raise Forbidden("this is for admins")
    return session
