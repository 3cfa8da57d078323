"""Commands run in this process, on servers configured for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.cli.main import main
from server.keys import format_hmac_keys, format_jwt_keys, generate_hmac_key, generate_jwt_key

REDIS_NUMBER = 5
"""A Redis database apart from other tests'."""


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(first, second) for first, _, second in (line.partition("\t") for line in self.lines)]

    @property
    def complaint(self) -> str:
        """The one line of a command that failed without a result."""
        assert (self.code, self.out) == (1, "")
        assert self.err.startswith("laurel: ")
        assert self.err.count("\n") == 1
        return self.err


Run = Callable[..., Result]


@pytest.fixture(scope="module")
def environ(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An environment with configured servers and keys of its own; migrated already."""
    environ = {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_REDIS_URL": f"{redis_url.rpartition('/')[0]}/{REDIS_NUMBER}",
        "LAUREL_DATA": str(tmp_path_factory.mktemp("data")),
        "LAUREL_TICKET_KEYS": format_hmac_keys([generate_hmac_key()]),
        "LAUREL_AUDIT_KEYS": format_hmac_keys([generate_hmac_key()]),
        "LAUREL_JWT_KEYS": format_jwt_keys([generate_jwt_key()]),
    }
    assert main(["migrate"], environ) == 0
    return environ


@pytest.fixture
def run(environ: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; keyword arguments are `LAUREL_*` variables over the module's, None takes one away."""

    def run(*arguments: str | Path, **variables: str | None) -> Result:
        capsys.readouterr()
        given = dict(environ) | {f"LAUREL_{name.upper()}": value for name, value in variables.items()}
        try:
            code = main(
                [str(a) for a in arguments], {name: value for name, value in given.items() if value is not None}
            )
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run
