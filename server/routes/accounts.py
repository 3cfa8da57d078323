"""Registering and logging in."""

from uuid import uuid4

from sanic import Blueprint, HTTPResponse, Request

from models import players
from models.ids import UserId
from models.players import Identity, Profile, Registration
from server.bodies import answer, decode
from server.documented import documented
from server.errors import Conflict, LoginFailed
from server.runtime import Runtime
from server.wire import Login, Register, SessionAnswer, user_answer

blueprint = Blueprint("accounts")


@blueprint.post("/api/v1/auth/register")
@documented(SessionAnswer, status=201, body=Register, caller="anyone", refuses=("conflict",))
async def register(request: Request) -> HTTPResponse:
    """Creates an account and logs it in."""
    runtime: Runtime = request.app.ctx.runtime
    runtime.tokens.optional(request)
    body = decode(request, Register)
    return await runtime.supervisor.detached("register", _register(runtime, body))


async def _register(runtime: Runtime, body: Register) -> HTTPResponse:
    if await players.by_username(runtime.database, body.username) is not None:
        raise Conflict("this name is taken")
    new = Registration(
        user_id=UserId(str(uuid4())),
        username=body.username,
        display_name=body.display_name or body.username,
        avatar_url=body.avatar_url,
        region=body.region,
        password_hash=await runtime.passwords.hash(body.password),
    )
    if not await players.register(runtime.database, new):
        raise Conflict("this name is taken")
    profile = Profile(new.user_id, new.username, new.display_name, new.avatar_url)
    return _session(runtime, Identity(profile, new.region, new.role), 201)


@blueprint.post("/api/v1/auth/login")
@documented(SessionAnswer, body=Login, caller="anyone", refuses=("login_failed",))
async def login(request: Request) -> HTTPResponse:
    """Exchanges a name and password for an access token."""
    runtime: Runtime = request.app.ctx.runtime
    runtime.tokens.optional(request)
    body = decode(request, Login)
    return await runtime.supervisor.detached("login", _login(runtime, body))


async def _login(runtime: Runtime, body: Login) -> HTTPResponse:
    found = await players.by_username(runtime.database, body.username)
    matches = await runtime.passwords.matches(found[1] if found else None, body.password)
    if found is None or not matches:
        raise LoginFailed("unknown name or wrong password")
    return _session(runtime, found[0], 200)


def _session(runtime: Runtime, identity: Identity, status: int) -> HTTPResponse:
    session = SessionAnswer(
        access_token=runtime.tokens.mint(identity.profile.user_id, identity.role),
        token_type="Bearer",  # noqa: S106 — the kind of token
        expires_in=runtime.tokens.ttl_seconds,
        user=user_answer(identity),
    )
    return answer(session, status, {"Cache-Control": "no-store"})
