"""Whatever Schemathesis makes of the API's description, the answer is one that the description names.

`LAUREL_FUZZING_CASES=1000 make test ARGS=tests/server/test_fuzzing.py` makes that many cases a route, which takes some
minutes; `LAUREL_FUZZING_PATHS=/api/v1/admin` beside it picks routes.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.caller import Caller, assert_problem, player
from tests.laurel_process import ROOT, LaurelProcess

ASKED = os.environ.get("LAUREL_FUZZING_CASES")
CASES = int(ASKED or "10")
# Every boundary of every field is a minute of its own: looked at when many cases are asked for.
PHASES = "examples,coverage,fuzzing" if ASKED else "examples,fuzzing"
CONFIG = Path(__file__).with_name("schemathesis.toml")
PATHS = os.environ.get("LAUREL_FUZZING_PATHS", "/")
# A stream has no end; both have tests of their own.
STREAMS = "/api/v1/live"
AWARDS = "/api/v1/awards"
# What ends the caller's session is asked by a player of its own, who is let in until it has done so.
LAST = {"accounts.logout": "/api/v1/auth/logout", "me.erase": "/api/v1/me"}
TICKETS = 50


@pytest.fixture(scope="module")
def laurel() -> Iterator[LaurelProcess]:
    """Pods of its own: it switches actions off and gives all the points there are."""
    with LaurelProcess() as process:
        yield process.start()


@pytest.fixture(scope="module")
def world(laurel: LaurelProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment and headers that Schemathesis runs with."""
    user_id, token = laurel.mint_admin("fuzzer")
    with Caller(laurel.urls[0], token, user_id) as admin, player(laurel) as ann:
        admin.redeem(admin.issue("sprint")["ticket"])
        tickets = [admin.issue("sprint")["ticket"] for _ in range(TICKETS)]
        key = admin.post("/api/v1/admin/api-keys", {"clientId": "fuzzer", "actions": ["sprint"]}).json()
        admin.post("/api/v1/admin/groups", {"groupId": "fuzzed", "title": "Fuzzed"})
        admin.post("/api/v1/admin/actions", {"actionId": "fuzzed", "title": "Fuzzed", "points": 1})
        spent = admin.issue("sprint")
        admin.redeem(spent["ticket"])
        ids = {
            "userId": ann.user_id,
            "actionId": "sprint",
            "boardId": "global",
            "keyId": key["keyId"],
            "groupId": "fuzzed",
            "entryId": spent["ticketId"],
            "ticketId": spent["ticketId"],
            "authToken": ann.token,
        }
        file = tmp_path_factory.mktemp("fuzzing") / "world.json"
        file.write_text(json.dumps({"ids": ids, "tickets": tickets}))
        yield {
            "FUZZING_WORLD": str(file),
            "SCHEMATHESIS_HOOKS": "tests.server.fuzzing_hooks",
            "token": token,
            "key": key["apiKey"],
        }


def fuzzed(laurel: LaurelProcess, world: dict[str, str], folder: Path, *selection: str) -> int:
    """How many cases Schemathesis made for some routes; fails with what it found."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", f"{laurel.urls[0]}/openapi.json", *selection),
        *("--header", f"Authorization: Bearer {world['token']}", "--header", f"X-API-Key: {world['key']}"),
        *("--phases", PHASES, "--max-examples", str(CASES), "--continue-on-failure"),
        *("--suppress-health-check", "all", "--seed", "1", "--no-color", "--warnings", "off"),
    ]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
    environ |= world | {"PYTHONPATH": str(ROOT), "NO_PROXY": "*"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-4_000:]
    found = re.search(r"(\d[\d,]*) generated", done.stdout)
    assert found, done.stdout
    return int(found[1].replace(",", ""))


@pytest.mark.timeout(90 + CASES * 3)
def test_no_answer_is_a_surprise(laurel: LaurelProcess, world: dict[str, str], tmp_path: Path):
    # Awards first: among the keys that the others revoke is the one that gives them.
    made = 0
    if re.match(PATHS, AWARDS):
        made += fuzzed(laurel, world, tmp_path, "--include-path", AWARDS)
    rest = f"^(?!{STREAMS}|{AWARDS}$)(?={PATHS})"
    others = [word for name in LAST for word in ("--exclude-operation-id", name)]
    made += fuzzed(laurel, world, tmp_path, "--include-path-regex", rest, *others)
    for name, path in LAST.items():
        if re.match(PATHS, path):
            ((_, token),) = laurel.mint_tokens(1)
            made += fuzzed(laurel, world | {"token": token}, tmp_path, "--include-operation-id", name)
            with Caller(laurel.urls[0], token) as gone:
                assert_problem(gone.http.get("/api/v1/me"), 401, "token_invalid")
    print(f"{made} cases")
    assert made >= CASES
    logs = "".join(path.read_text() for path in laurel.data.glob("log/*.log"))
    assert [line for line in logs.splitlines() if "unexpected error" in line] == []
