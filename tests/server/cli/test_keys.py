"""`laurel keys rotate` without pods: the file's keys, and what to do about the environment's."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from server.embedded.folder import DataFolder
from server.embedded.secrets import ensure_secrets, read_secrets
from server.keys import JWT_ALGORITHMS, newest_signing, parse_hmac_keys, parse_jwt_keys, parse_receipt_keys
from tests.server.cli.conftest import Run

PARSE = {"jwt": parse_jwt_keys, "ticket": parse_hmac_keys, "receipt": parse_receipt_keys}


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder.prepare(tmp_path / "data")
    ensure_secrets(made)
    return made


def test_secrets_that_are_no_text_are_one_line(run: Run, folder: DataFolder):
    folder.secrets.write_bytes(b"LAUREL_JWT_KEYS=\xff\n")
    assert "byte 17 is no text in UTF-8" in rotate(run, folder, "jwt").complaint


def variable(purpose: str) -> str:
    return f"LAUREL_{purpose.upper()}_KEYS"


def rotate(run: Run, folder: DataFolder, purpose: str, *more: str):
    unset = {f"{name}_keys": None for name in PARSE}
    return run("keys", "rotate", purpose, *more, "--data", folder.root, **unset)


@pytest.mark.parametrize("purpose", PARSE)
def test_a_new_key_is_the_last_and_retiring_leaves_it_alone(run: Run, folder: DataFolder, purpose: str):
    first = read_secrets(folder)
    result = rotate(run, folder, purpose)
    assert (result.code, len(result.lines)) == (0, 1)
    (old, new) = PARSE[purpose](read_secrets(folder)[variable(purpose)])
    assert (old,) == PARSE[purpose](first[variable(purpose)])
    assert result.out.startswith(f"{new.kid} signs now")
    assert folder.secrets.stat().st_mode & 0o777 == 0o600
    result = rotate(run, folder, purpose, "--retire")
    assert (result.code, PARSE[purpose](read_secrets(folder)[variable(purpose)])) == (0, (new,))
    others = {name: value for name, value in read_secrets(folder).items() if name != variable(purpose)}
    assert others == {name: value for name, value in first.items() if name != variable(purpose)}


@pytest.mark.parametrize("algorithm", JWT_ALGORITHMS)
def test_the_next_jwt_key_may_have_another_algorithm_and_keeps_it(run: Run, folder: DataFolder, algorithm: str):
    assert rotate(run, folder, "jwt", "--algorithm", algorithm).code == 0
    assert rotate(run, folder, "jwt").code == 0
    keys = parse_jwt_keys(read_secrets(folder)["LAUREL_JWT_KEYS"])
    assert [key.algorithm for key in keys] == ["HS256", algorithm, algorithm]


def test_keys_of_the_environment_are_told_not_touched(run: Run, environ: Mapping[str, str]):
    for purpose in ("jwt", "ticket"):
        result = run("keys", "rotate", purpose)
        given = PARSE[purpose](environ[variable(purpose)])
        values = [line.partition("=")[2] for line in result.lines if line.startswith(variable(purpose))]
        accept, sign, retired = (PARSE[purpose](value) for value in values)
        new = retired[0]
        assert (accept, sign, retired) == ((new, *given), (*given, new), (new,))
        assert "roll out" in result.err
        only = run("keys", "rotate", purpose, "--retire").lines
        assert PARSE[purpose](only[-1].partition("=")[2]) == given[-1:]


def test_a_public_key_that_stands_last_is_not_what_signs(run: Run, folder: DataFolder):
    rotate(run, folder, "jwt", "--algorithm", "ES256")
    keys = parse_jwt_keys(read_secrets(folder)["LAUREL_JWT_KEYS"])
    assert newest_signing(keys) is keys[-1]


def test_what_cannot_be_is_said_in_a_line(run: Run, folder: DataFolder, tmp_path: Path):
    assert "`laurel up` makes the first" in rotate(run, DataFolder(tmp_path / "none"), "ticket").complaint
    assert "LAUREL_JWT_KEYS: " in run("keys", "rotate", "jwt", jwt_keys="x").complaint
    assert run("keys", "rotate", "audit").code == 2
    assert run("keys").code == 2


def test_an_algorithm_of_what_is_no_jwt_is_wrong_usage(run: Run, folder: DataFolder):
    before = read_secrets(folder)
    for arguments in (["ticket", "--algorithm", "RS256"], ["jwt", "--retire", "--algorithm", "RS256"]):
        result = rotate(run, folder, *arguments)
        assert (result.code, result.out) == (2, "")
        assert "--algorithm is for a new jwt key" in result.err
    assert read_secrets(folder) == before
