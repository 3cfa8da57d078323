"""How long handlers take, as the pod itself sees it."""

from collections.abc import Awaitable, Callable
from functools import wraps
from time import perf_counter
from typing import Any

from sanic import HTTPResponse

from server.runtime import Runtime

Handler = Callable[..., Awaitable[HTTPResponse]]


def timed(name: str) -> Callable[[Handler], Handler]:
    """Counts the time that a handler takes, refusals too, under a name."""

    def measure(handler: Handler) -> Handler:
        @wraps(handler)
        async def measured(request: Any, *arguments: Any, **named: Any) -> HTTPResponse:
            runtime: Runtime = request.app.ctx.runtime
            began = perf_counter()
            try:
                return await handler(request, *arguments, **named)
            finally:
                runtime.tallies.read[name].observe(perf_counter() - began)

        return measured

    return measure
