"""Accounts for people: minted tokens first, then new ones by registering."""

from dataclasses import dataclass, field
from pathlib import Path

from loadtests.load.pace import Pace

PASSWORD = "correct horse battery staple"  # noqa: S105 — of accounts that a load test makes


@dataclass(frozen=True, slots=True)
class Account:
    """Whose token it is, and what they did lately."""

    user_id: str
    token: str
    pace: Pace = field(default_factory=Pace)

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
