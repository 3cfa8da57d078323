"""Groups of routes."""

from typing import Any

import sanic

ERRORS_AS = "json"
"""Stands for any: `server.errors` answers them all."""


class Blueprint(sanic.Blueprint):
    """Sanic's, told how errors look: else it parses the source of each handler to guess, a tenth of all imports."""

    def route(self, *arguments: Any, error_format: str | None = None, **more: Any) -> Any:
        """A decorator for the handler of a route."""
        return super().route(*arguments, error_format=error_format or ERRORS_AS, **more)
