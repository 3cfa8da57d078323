"""What people were told during a run: one JSON line each, a file a process."""

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

import msgspec

PATTERN = "told-*.jsonl"
REDEEM, ADJUST = "redeem", "adjust"


class Record(msgspec.Struct, frozen=True, tag_field="is", tag=str.lower):
    """Root of all lines."""


class Asked(msgspec.Struct, frozen=True):
    """What was sent, and what it is worth: a ticket, or something with an idempotency key. `kind` is the ledger's."""

    user_id: str
    points: int
    ticket_id: str = ""
    key: str = ""
    kind: str = REDEEM


class Answer(Record, frozen=True):
    """A redemption or an administrator's move that was answered with 200; `sent` and `at` are Unix seconds."""

    asked: Asked
    entry_id: str
    change: int
    new_score: int
    user_version: int
    replayed: bool
    sent: float
    at: float

    @property
    def user_id(self) -> str:
        return self.asked.user_id


class Unknown(Record, frozen=True):
    """A redemption or move whose outcome nobody was told."""

    asked: Asked


class Refused(Record, frozen=True):
    """A ticket that was refused for good: it must never count."""

    user_id: str
    ticket_id: str
    code: str


class Cheat(Record, frozen=True):
    """A cheat that was not refused as it should have been."""

    what: str
    detail: str


class View(Record, frozen=True):
    """What a viewer had folded when it left; rows are (user id, score) in rank order."""

    viewer: str
    epoch: str
    version: int
    rows: list[tuple[str, int]]
    finally_so: bool
    """It stayed until the end of the run."""


class Divergence(Record, frozen=True):
    """A viewer's fold that was not the server's."""

    viewer: str
    detail: str


class Seen(Record, frozen=True):
    """When a viewer first saw a score; Unix seconds."""

    viewer: str
    user_id: str
    score: int
    at: float


class Began(Record, frozen=True):
    """A process of the generator began; Unix seconds."""

    at: float


class Ended(Record, frozen=True):
    """A process of the generator ended: CPU seconds, wall seconds, its busiest second in % of a core."""

    cpu_seconds: float
    wall_seconds: float
    busiest_percent: float


Line = Answer | Unknown | Refused | Cheat | View | Divergence | Seen | Began | Ended
_decoder = msgspec.json.Decoder(Line)
_encode = msgspec.json.Encoder().encode


def prepare(folder: Path) -> None:
    """Makes an empty folder for a run; raises OSError where nothing can be written."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    for old in folder.glob(PATTERN):
        old.unlink()


class Diary:
    """Writes this process's lines, each at once: a killed process loses none."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = (folder / f"told-{os.getpid()}-{time.time_ns()}.jsonl").open("ab", buffering=0)

    def note(self, line: Line) -> None:
        self._file.write(_encode(line) + b"\n")

    def close(self) -> None:
        self._file.close()


@dataclass(slots=True)
class Told:
    """All lines of a run by kind."""

    answers: list[Answer] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    cheats: list[Cheat] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    divergences: list[Divergence] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    began: list[Began] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Self:
        told = cls()
        for path in sorted(folder.glob(PATTERN)):
            for line in _lines(path):
                told.add(line)
        return told

    def add(self, line: Line) -> None:
        match line:
            case Answer():
                self.answers.append(line)
            case Unknown():
                self.unknown.append(line)
            case Refused():
                self.refused.append(line)
            case Cheat():
                self.cheats.append(line)
            case View():
                self.views.append(line)
            case Divergence():
                self.divergences.append(line)
            case Seen():
                self.seen.append(line)
            case Began():
                self.began.append(line)
            case Ended():
                self.ended.append(line)

    @property
    def redemptions(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.asked.kind == REDEEM]

    @property
    def since(self) -> float:
        """When the first process began; Unix seconds."""
        return min((began.at for began in self.began), default=0.0)


def all_ended(folder: Path) -> bool:
    """Whether each process that began has written its last line."""
    told = Told.read(folder)
    return len(told.ended) >= len(told.began)


def _lines(path: Path) -> Iterator[Line]:
    with path.open("rb") as file:
        for text in file:
            if text.endswith(b"\n"):  # a killed process may leave half a line
                yield _decoder.decode(text)
