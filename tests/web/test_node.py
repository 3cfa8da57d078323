"""The client library's own tests, run by Node."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
SECONDS = 90


def test_client_library():
    node = shutil.which("node")
    if node is None:
        pytest.fail(
            "\n!! Node is missing: the client library was NOT tested.\n!! Debian: apt-get install nodejs", pytrace=False
        )
    files = [str(path) for path in sorted(FOLDER.glob("*.test.mjs"))]
    assert files
    result = subprocess.run(
        [node, "--test", *files], cwd=FOLDER.parents[1], capture_output=True, check=False, text=True, timeout=SECONDS
    )
    assert result.returncode == 0, result.stdout + result.stderr
