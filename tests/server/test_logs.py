"""Nothing a request says can forge a log line, and no secret gets into one."""

import json
import logging
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.logs import UNSAFE, escaped, redacted

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
PROGRAM = f"""
import logging, sys
from server.logs import configure
configure("info", sys.argv[1])
log = logging.getLogger("laurel.test")
nasty = "a\\n2026-01-01 [error] forged \\x1b[2J \\u2028 \\u202e Bearer {JWT}"
log.warning("said %s", nasty)
log.warning("a path", extra={{"path": nasty, "more": {{"inner": [nasty]}}, "thing": ValueError(nasty)}})
try:
    raise ValueError(nasty)
except ValueError:
    log.exception("failed")
"""


def lines(form: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=True)
    return done.stderr.removesuffix("\n").split("\n")


def test_console_lines_cannot_be_forged():
    found = lines("console")
    heads = [line for line in found if not line.startswith(("  | ", "Traceback"))]
    assert len(heads) == 3, found
    assert not any(UNSAFE.search(line) for line in found)
    assert JWT not in "".join(found)
    assert "forged" in found[0]  # it is shown, on the line of the one who said it


def test_json_lines_cannot_be_forged():
    found = lines("json")
    assert [json.loads(line)["level"] for line in found] == ["warning", "warning", "error"]
    assert not any(UNSAFE.search(line) for line in found)
    assert JWT not in "".join(found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"token {JWT}", "token ***"),
        (f"Authorization: Bearer {JWT}", "Authorization: Bearer ***"),
        ("bearer abc.def-ghi, next", "bearer ***, next"),
        ("postgresql://laurel:pass@host/x", "postgresql://laurel:***@host/x"),
        ("redis://:pass@host", "redis://:***@host"),
        ("/live?token=abc&board=global", "/live?token=***&board=global"),
        ('{"username": "ada", "password": "correct horse"}', '{"username": "ada", "password": "***"}'),
        ('{"refreshToken":"abc"}', '{"refreshToken":"***"}'),
        ("ticket=abc.def", "ticket=***"),
        ("the ticket is forged", "the ticket is forged"),
        ("12:30 http://host:8000/x", "12:30 http://host:8000/x"),
    ],
)
def test_secrets_are_hidden(text: str, shown: str):
    assert redacted(text) == shown


@given(st.text())
def test_what_is_escaped_is_one_harmless_line(text: str):
    assert not UNSAFE.search(escaped(text))
    assert logging.Formatter().format(logging.makeLogRecord({"msg": escaped(text)})).splitlines() in (
        [],
        [escaped(text)],
    )
