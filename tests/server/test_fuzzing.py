"""Whatever Schemathesis makes of the API's description, the answer is one that the description names.

`LAUREL_FUZZING_CASES=1000 make test ARGS=tests/server/test_fuzzing.py` makes that many cases a route, which takes some
minutes; `LAUREL_FUZZING_PATHS=/api/v1/admin` beside it picks routes.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.errors import METHODS
from tests.caller import Caller, assert_problem, player
from tests.laurel_process import ROOT, LaurelProcess

ASKED = os.environ.get("LAUREL_FUZZING_CASES")
CASES = int(ASKED or "5")
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


def fuzzed(laurel: LaurelProcess, world: dict[str, str], folder: Path, *selection: str) -> Counter[str]:
    """How many requests Schemathesis made of each operation selected; fails with what it found."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", f"{laurel.urls[0]}/openapi.json", *selection),
        *("--header", f"Authorization: Bearer {world['token']}", "--header", f"X-API-Key: {world['key']}"),
        *("--phases", PHASES, "--max-examples", str(CASES), "--continue-on-failure"),
        *("--suppress-health-check", "all", "--seed", "1", "--no-color", "--warnings", "off"),
    ]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
    calls = folder / "calls.json"
    environ |= world | {"PYTHONPATH": str(ROOT), "NO_PROXY": "*", "FUZZING_CALLS": str(calls)}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-4_000:]
    return Counter(json.loads(calls.read_text()))


def operations(laurel: LaurelProcess) -> dict[str, bool]:
    """The operations to be fuzzed, and whether there is anything in their requests that could be varied."""
    with Caller(laurel.urls[0]) as nobody:
        paths = nobody.http.get("/openapi.json").json()["paths"]
    return {
        f"{method.upper()} {path}": bool(shared.get("parameters") or one.get("parameters") or "requestBody" in one)
        for path, shared in paths.items()
        if re.match(PATHS, path) and not path.startswith(STREAMS)
        for method, one in shared.items()
        if method.upper() in METHODS
    }


@pytest.mark.timeout(90 + CASES * 3)
def test_no_answer_is_a_surprise(laurel: LaurelProcess, world: dict[str, str], tmp_path: Path):
    wanted, made = operations(laurel), Counter[str]()
    # Awards first: among the keys that the others revoke is the one that gives them.
    for paths in (f"^{AWARDS}$", f"^(?!{STREAMS}|{AWARDS}$)(?={PATHS})"):
        if any(re.match(paths, label.partition(" ")[2]) for label in wanted):
            others = [word for name in LAST for word in ("--exclude-operation-id", name)]
            made += fuzzed(laurel, world, tmp_path, "--include-path-regex", paths, *others)
    for name, path in LAST.items():
        if re.match(PATHS, path):
            ((_, token),) = laurel.mint_tokens(1)
            made += fuzzed(laurel, world | {"token": token}, tmp_path, "--include-operation-id", name)
            with Caller(laurel.urls[0], token) as gone:
                assert_problem(gone.http.get("/api/v1/me"), 401, "token_invalid")
    print(f"{made.total()} cases of {len(made)} operations")
    assert {label: made[label] for label, varies in wanted.items() if made[label] < (CASES if varies else 1)} == {}
    logs = "".join(path.read_text() for path in laurel.data.glob("log/*.log"))
    assert [line for line in logs.splitlines() if "unexpected error" in line] == []
