"""Why a socket is closed."""

from enum import IntEnum

ABORT_SECONDS = 1.0
"""How long a closed connection may take to read what it was told last."""


class CloseCode(IntEnum):
    """WebSocket close codes.

    Reconnect: GOING_AWAY (after the time its reason names), TRY_LATER, STALLED.
    Do not, before something has changed: NOT_TEXT, TOO_LARGE, BAD_MESSAGE, UNAUTHORIZED, TOO_MUCH.
    """

    GOING_AWAY = 1001
    TRY_LATER = 1013
    STALLED = 4408

    NOT_TEXT = 1007
    TOO_LARGE = 1009
    BAD_MESSAGE = 4400
    UNAUTHORIZED = 4401
    TOO_MUCH = 4429
