"""Log lines: readable in a terminal, JSON in a container."""

import logging
import sys
from collections.abc import Sequence

import structlog


def configure(level: str, form: str, adding: Sequence[structlog.typing.Processor] = ()) -> None:
    """Sends everything logged to stderr; control characters in values cannot forge lines.

    `form` is `console`, `json`, or `auto`: console on a terminal, else JSON. `adding` puts more facts into each line.
    """
    readable = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        *adding,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if readable else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("sanic.websockets", "tortoise", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
