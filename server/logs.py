"""Log lines: readable in a terminal, JSON in a container; without secrets, and not to be forged."""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

HIDDEN = "***"
LONGEST = 4_000
"""Characters of one value; a request's head may have 16,384."""
# A JWT; what follows "Bearer"; a password in an address; a secret named in a body, a query or a call.
SECRETS = re.compile(
    r"(?P<jwt>\beyJ[\w-]{4,}\.[\w-]+\.[\w-]*)"
    r"|(?P<scheme>\bbearer[ .])[\w.~+/=-]+"
    r"|(?P<user>://[^/\s:@]*:)[^@\s/]+(?=@)"
    r"|(?P<quoted>[\"'](?:\w*password|\w*token|\w*secret|ticket|x-api-key)[\"']: ?[\"'])(?:[^\"'\\]|\\.)+"
    r"|(?P<name>\b(?:\w*password|\w*token|\w*secret|ticket|x-api-key)=)[^\s\"'&,)}]+",
    re.IGNORECASE,
)
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line separators and what turns the direction of text around."""
CONTINUED = "\n  | "
"""Begins every further line of a traceback, whose last line may have words of a request in it."""


def redacted(text: str) -> str:
    """The text without tokens, passwords and tickets."""
    return SECRETS.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    return (found["scheme"] or found["user"] or found["quoted"] or found["name"] or "") + HIDDEN


def escaped(text: str) -> str:
    """The text on one line, with nothing that a terminal obeys."""
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _without_secrets(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {redacted(str(key)): _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_without_secrets(item) for item in value]
    text = value if isinstance(value, str) else repr(value)
    return redacted(text if len(text) <= LONGEST or "\n" in text else text[:LONGEST] + "…")


def _redact(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    del logger, method
    return {name: _without_secrets(value) for name, value in event.items()}


def _escape(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    del logger, method
    safe = {name: escaped(value) if isinstance(value, str) else value for name, value in event.items()}
    if isinstance(event.get("exception"), str):
        safe["exception"] = CONTINUED.join(escaped(line) for line in event["exception"].split("\n"))
    return safe


def configure(level: str, form: str, adding: Sequence[structlog.typing.Processor] = ()) -> None:
    """Sends everything logged to stderr.

    `form` is `console`, `json`, or `auto`: console on a terminal, else JSON, which escapes by itself. `adding` puts
    more facts into each line.
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
    rendered: list[structlog.typing.Processor] = (
        [_escape, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if readable
        else [structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redact, *rendered],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("sanic.websockets", "tortoise", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It tells of every server that is away with a traceback; whoever asked says so in a line.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
