"""One line of a report: how it stands with one thing."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Level(StrEnum):
    """Whether something is as it should be, could be better, or must be mended."""

    OK = "ok"
    WEAK = "weak"
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True):
    """What was found about a topic, in a sentence for people."""

    topic: str
    level: Level
    text: str


def ok(topic: str, text: str) -> Finding:
    return Finding(topic, Level.OK, text)


def weak(topic: str, text: str) -> Finding:
    return Finding(topic, Level.WEAK, text)


def wrong(topic: str, text: str) -> Finding:
    return Finding(topic, Level.WRONG, text)


def bounded(topic: str, value: float, weak_from: float, wrong_from: float, text: str) -> Finding:
    """A value that should be small."""
    level = Level.WRONG if value >= wrong_from else Level.WEAK if value >= weak_from else Level.OK
    return Finding(topic, level, text)


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong; what is weak is left to judgement."""
    return all(finding.level is not Level.WRONG for finding in findings)


def report(findings: Iterable[Finding]) -> str:
    """The findings as lines in columns."""
    rows = list(findings)
    width = max((len(finding.topic) for finding in rows), default=0)
    return "\n".join(f"{finding.level.value:<5}  {finding.topic:<{width}}  {finding.text}" for finding in rows)
