"""What the API's description says of the dialects' routes, taken from the table."""

import inspect
from collections.abc import Callable, Sequence

from server.dialects.shapes import CodedRefusal
from server.dialects.table import Dialect, Read, Write
from server.documented import STATUS, Handler, Refusing, documented
from server.errors import Problem

REDEEMING = (
    *("ticket_forged", "ticket_not_yours", "ticket_expired", "ticket_too_early", "ticket_overlaps"),
    *("player_banned", "action_unknown", "action_disabled", "cooldown", "daily_limit", "not_found", "conflict"),
)


def described_write(routes: Sequence[Write]) -> Callable[[Handler], Handler]:
    """Describes the handler of those who write at one path; who knows no header has the token in the body."""
    dialects = [route.dialect for route in routes]
    in_body = [dialect for dialect in dialects if dialect.marker]
    text = [inspect.getdoc(route.hears) or "" for route in routes]
    text += [f"`{dialect.marker}` in the body tells {dialect.name.upper()} from the other." for dialect in in_body]
    declare = documented(
        tuple(route.says for route in routes),
        body=tuple(route.hears for route in routes),
        caller="anyone" if in_body else "player",
        refuses=("token_missing", *REDEEMING),
        limits=("redeem",),
        refusing=_refusing(dialects),
    )
    return _with_text("\n".join(text), declare)


def described_read(route: Read) -> Callable[[Handler], Handler]:
    """Describes the handler of a read."""
    declare = documented(
        route.says,
        caller="anyone" if route.open else "player",
        parameters=route.parameters,
        limits=("reads",),
        refusing=_refusing([route.dialect]),
    )
    return _with_text(inspect.getdoc(route.read) or "", declare)


def _refusing(dialects: Sequence[Dialect]) -> tuple[Refusing, ...]:
    return tuple(
        Refusing(dialect.refusal, _status_of(dialect), "error" if dialect.refusal is CodedRefusal else None)
        for dialect in dialects
    )


def _status_of(dialect: Dialect) -> Callable[[str], int]:
    """The status that a dialect gives a code: asked of the dialect itself."""
    return lambda code: dialect.refuse(Problem(STATUS[code], code, "", {}))[0]


def _with_text(text: str, declare: Callable[[Handler], Handler]) -> Callable[[Handler], Handler]:
    def described(handler: Handler) -> Handler:
        handler.__doc__ = text
        return declare(handler)

    return described
