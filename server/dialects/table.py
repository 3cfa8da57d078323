"""The table: every route of the five dialects, in front of the same core calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from sanic import Request

from actors.messages import Outcome
from server.dialects import boards, shapes, writing
from server.dialects.redeeming import Asked
from server.dialects.refusals import Refusal, coded, plain, with_status
from server.documented import Parameter
from server.errors import Problem
from server.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Dialect:
    """One of the five, by its letter, and how it says no.

    `marker` is the name in a body that tells it from another on the same path.
    """

    name: str
    refuse: Callable[[Problem], Refusal]
    refusal: type[Struct]
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """A route that redeems: what it hears and says, and how that is translated."""

    dialect: Dialect
    method: str
    path: str
    hears: type[Struct]
    says: type[Struct]
    ask: Callable[[Runtime, Request], Awaitable[Asked]]
    answer: Callable[[Outcome], Struct]


@dataclass(frozen=True, slots=True)
class Read:
    """A route that reads the board `global`; an open one needs no token."""

    dialect: Dialect
    path: str
    says: Any
    read: Callable[[Runtime, Request], Awaitable[Struct | list[shapes.Score]]]
    open: bool = False
    method: str = "GET"
    parameters: tuple[Parameter, ...] = ()


A = Dialect("a", coded, shapes.CodedRefusal)
B = Dialect("b", coded, shapes.CodedRefusal)
C = Dialect("c", with_status, shapes.StatusRefusal)
D = Dialect("d", plain, shapes.PlainRefusal, marker="authToken")
E = Dialect("e", coded, shapes.CodedRefusal)

WRITES = (
    Write(A, "POST", "/api/action/do", shapes.DoAction, shapes.NewScore, writing.action, writing.new_score),
    Write(
        B,
        "POST",
        "/api/scores/update",
        shapes.DoTypedAction,
        shapes.NewPosition,
        writing.typed_action,
        writing.new_position,
    ),
    Write(
        C,
        "POST",
        "/api/v1/score/update",
        shapes.DoTimedAction,
        shapes.NewStatus,
        writing.timed_action,
        writing.new_status,
    ),
    Write(
        D,
        "POST",
        "/api/scores/update",
        shapes.DoSignedAction,
        shapes.UpdatedScore,
        writing.signed_action,
        writing.updated_score,
    ),
    Write(E, "PATCH", "/api/score/update", shapes.DoAction, shapes.NewScore, writing.action, writing.new_score),
)

# E reads as A does, so this row is both's.
READS = (
    Read(A, "/api/score/top", list[shapes.Score], boards.scores),
    Read(B, "/api/leaderboard", shapes.Leaderboard, boards.leaderboard, open=True),
    Read(C, "/api/v1/leaderboard", shapes.NumberedPage, boards.numbered_page, parameters=boards.PAGE_PARAMETERS),
    Read(D, "/api/scores/top", shapes.TopScores, boards.top_scores, open=True),
)
