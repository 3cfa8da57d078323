"""Accounts for people: minted tokens first, then new ones by registering."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from loadtests.load.pace import Pace

PASSWORD = "correct horse battery staple"  # noqa: S105 — of accounts that a load test makes


@dataclass(slots=True)
class Account:
    """Whose token it is, and what they did lately; a minted one has nothing to be renewed by."""

    user_id: str
    token: str
    username: str = ""
    refresh_token: str = ""
    ends_at: float = math.inf
    """Of the token; monotonic seconds."""
    pace: Pace = field(default_factory=Pace)

    @classmethod
    def of(cls, session: Mapping[str, Any]) -> Self:
        """From what registering answers."""
        account = cls(session["user"]["userId"], "", session["user"]["username"])
        account.accept(session)
        return account

    def accept(self, session: Mapping[str, Any]) -> None:
        """The next pair of tokens."""
        self.token, self.refresh_token = session["accessToken"], session["refreshToken"]
        self.ends_at = time.monotonic() + session["expiresIn"]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Accounts:
    """This process's part of the minted ones: no account is in two hands, as cooldowns are a player's."""

    def __init__(self, minted: list[Account], part: int, parts: int) -> None:
        self._left = minted[part % parts :: parts]

    @classmethod
    def read(cls, path: Path | None, part: int, parts: int) -> "Accounts":
        """From lines of `userId<TAB>token`, as `laurel token mint` writes them."""
        return cls([] if path is None else minted(path), part, max(1, parts))

    def take(self) -> Account | None:
        return self._left.pop() if self._left else None

    def give_back(self, account: Account) -> None:
        self._left.insert(0, account)


def minted(path: Path) -> list[Account]:
    return [Account(*line.split("\t")) for line in path.read_text().splitlines() if line]
