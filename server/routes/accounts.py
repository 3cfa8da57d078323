"""Accounts and sessions: registering, logging in, renewing, logging out."""

import secrets
from hashlib import sha256
from uuid import uuid4

from sanic import HTTPResponse, Request

from models import players, sessions
from models.errors import DataRejected
from models.ids import UserId
from models.players import Identity, Profile, Registration
from models.sessions import Lives, Revocation
from server.auth import Session
from server.blueprints import Blueprint
from server.bodies import UNASKED, answer, bodiless, decode
from server.documented import documented
from server.errors import Conflict, LoginFailed, TokenInvalid
from server.limits import limited
from server.runtime import Runtime
from server.wire.accounts import Login, Refresh, Register, SessionAnswer, user_answer

REFRESH_BYTES = 32
WRONG = "unknown name or wrong password"
ENDED = "this refresh token is not valid, or its session has ended"

blueprint = Blueprint("accounts")


@blueprint.post("/api/v1/auth/register")
@documented(SessionAnswer, status=201, body=Register, caller="anyone", refuses=("conflict",), limits=("register",))
async def register(request: Request) -> HTTPResponse:
    """Creates an account and logs it in."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "register")
    runtime.tokens.optional(request)
    body = decode(request, Register)
    return await runtime.supervisor.detached("register", _register(runtime, body))


async def _register(runtime: Runtime, body: Register) -> HTTPResponse:
    if await players.password_of(runtime.database, body.username) is not None:
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
    return await _enter(runtime, Identity(profile, new.region, new.role), 201)


@blueprint.post("/api/v1/auth/login")
@documented(SessionAnswer, body=Login, caller="anyone", refuses=("login_failed",), limits=("login-address", "login"))
async def login(request: Request) -> HTTPResponse:
    """Exchanges a name and password for an access token and a refresh token."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "login-address")
    runtime.tokens.optional(request)
    body = decode(request, Login)
    await limited(request, "login", body.username.lower())
    return await runtime.supervisor.detached("login", _login(runtime, body))


async def _login(runtime: Runtime, body: Login) -> HTTPResponse:
    # Found or not, there is one statement and one hash: neither words nor time tell which names exist.
    found = await players.password_of(runtime.database, body.username)
    matches = await runtime.passwords.matches(found[1] if found else None, body.password)
    identity = await players.by_id(runtime.database, found[0]) if found and matches else None
    if identity is None:
        raise LoginFailed(WRONG)
    return await _enter(runtime, identity, 200)


@blueprint.post("/api/v1/auth/refresh")
@documented(SessionAnswer, body=Refresh, caller="anyone", limits=("refresh",))
async def refresh(request: Request) -> HTTPResponse:
    """Exchanges a refresh token for the next pair; one used before ends its session."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "refresh")
    runtime.tokens.optional(request)
    body = decode(request, Refresh)
    return await runtime.supervisor.detached("refresh-session", _refresh(runtime, body))


async def _refresh(runtime: Runtime, body: Refresh) -> HTTPResponse:
    following = _refresh_token()
    renewed = await sessions.renew(runtime.database, _hash(body.refresh_token), _hash(following), _lives(runtime))
    if isinstance(renewed, Revocation):
        runtime.revocations.take([renewed])
    if renewed is None or isinstance(renewed, Revocation):
        raise TokenInvalid(ENDED)
    identity = await players.by_id(runtime.database, renewed.user_id)
    if identity is None:
        raise TokenInvalid(ENDED)
    return _session(runtime, identity, renewed.session_id, following, 200)


@blueprint.post("/api/v1/auth/logout")
@documented(status=204, refuses=UNASKED)
async def logout(request: Request) -> HTTPResponse:
    """Ends the session of the access token, on every pod within a second."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    bodiless(request)
    await runtime.supervisor.detached("logout", _logout(runtime, session))
    return HTTPResponse(status=204)


async def _logout(runtime: Runtime, session: Session) -> None:
    ended = await sessions.end(runtime.database, session.session, session.expires_at)
    runtime.revocations.take([ended])


async def _enter(runtime: Runtime, identity: Identity, status: int) -> HTTPResponse:
    refresh_token = _refresh_token()
    try:
        session = await sessions.start(
            runtime.database, identity.profile.user_id, _hash(refresh_token), _lives(runtime)
        )
    except DataRejected as error:  # erased between the password's check and here
        raise LoginFailed(WRONG) from error
    return _session(runtime, identity, session, refresh_token, status)


def _session(runtime: Runtime, identity: Identity, session: str, refresh_token: str, status: int) -> HTTPResponse:
    shown = SessionAnswer(
        access_token=runtime.tokens.mint(identity.profile.user_id, identity.role, session=session),
        token_type="Bearer",  # noqa: S106 — the kind of token
        expires_in=runtime.tokens.ttl_seconds,
        refresh_token=refresh_token,
        user=user_answer(identity),
    )
    return answer(shown, status, {"Cache-Control": "no-store"})


def _lives(runtime: Runtime) -> Lives:
    return Lives(runtime.settings.refresh_ttl_seconds, runtime.settings.access_ttl_seconds)


def _refresh_token() -> str:
    return secrets.token_urlsafe(REFRESH_BYTES)


def _hash(refresh_token: str) -> bytes:
    """How a refresh token is stored; it has 256 random bits, so it needs no slow hash."""
    return sha256(refresh_token.encode("utf-8", "surrogatepass")).digest()
