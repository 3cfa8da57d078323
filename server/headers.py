"""Headers of every answer: security, limits, CORS."""

from typing import Any

from sanic import Request, Sanic
from sanic.config import Config
from sanic.response import BaseHTTPResponse

from server.bodies import JSON

SECURITY = (
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
"""For what a browser could show, unless it has a policy of its own, as the page does; a header costs JSON 1.6 µs."""
SENT = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-API-Key")
READ = ("ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate")
PREFLIGHT_SECONDS = 600


def complete(request: Request, response: BaseHTTPResponse) -> None:
    """Adds what every answer has, and what is left of the limits that were asked."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    if response.content_type != JSON:
        for name, value in SECURITY:
            headers.setdefault(name, value)
    verdicts = getattr(request.ctx, "verdicts", None)
    if verdicts:
        request.app.ctx.runtime.policies.tell(verdicts, headers)


def vary(request: Request, response: BaseHTTPResponse) -> None:
    """An answer to one origin must not be taken from a cache for another."""
    del request
    response.headers.setdefault("Vary", "Origin")


def let_in(app: "Sanic[Config, Any]", origins: tuple[str, ...]) -> None:
    """CORS for the origins let in, which is that of sanic-ext."""
    if not origins:
        return
    from sanic_ext import Extend  # a twentieth of all imports, which few ask for
    from sanic_ext.extensions.http.extension import HTTPExtension

    app.register_middleware(vary, "response")
    Extend(
        app,
        built_in_extensions=False,
        extensions=[HTTPExtension],
        config={
            "cors_origins": list(origins),
            "cors_always_send": False,
            "cors_allow_headers": list(SENT),
            "cors_expose_headers": list(READ),
            "cors_max_age": PREFLIGHT_SECONDS,
            "cors_supports_credentials": False,
            "http_all_methods": False,
            "http_auto_head": False,
            "http_auto_options": True,
        },
    )
