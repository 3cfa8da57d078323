"""One line for each update and each refusal, in every dialect, and no token in any."""

import json
import time
from typing import Any

from tests.caller import Caller
from tests.contract.frontend import TIMED, entries_of, tampered
from tests.laurel_process import LaurelProcess, until


def test_each_update_and_each_refusal_is_one_line(board: LaurelProcess, caller: Caller) -> None:
    ticket = caller.issue(TIMED)["ticket"]
    signed = {"userId": caller.user_id, "authToken": caller.token}
    sent: list[tuple[str, str, str, dict[str, Any]]] = [
        ("a", "POST", "/api/action/do", {}),
        ("b", "POST", "/api/scores/update", {"actionType": TIMED}),
        ("c", "POST", "/api/v1/score/update", {"timestamp": round(time.time() * 1000) + 500}),
        ("d", "POST", "/api/scores/update", signed),
        ("e", "PATCH", "/api/score/update", {}),
    ]
    for _, method, path, more in sent:
        assert caller.http.request(method, path, json={"actionId": ticket, **more}).status_code == 200
        assert caller.http.request(method, path, json={"actionId": tampered(ticket), **more}).status_code >= 400
    file = board.data / "log" / "pod-1.log"

    def lines() -> list[dict[str, Any]]:
        told = [json.loads(line) for line in file.read_text().splitlines() if caller.user_id in line]
        found = [line for line in told if line["event"].startswith("score update")]
        return found if len(found) >= 2 * len(sent) else []

    (entry,) = entries_of(board, caller.user_id)
    logged = until(lines, 5)
    assert [(line["event"], line["dialect"]) for line in logged] == [
        (event, name) for name, *_ in sent for event in ("score update", "score update refused")
    ]
    for line in logged[::2]:
        assert (line["entry"], line["action"], line["change"], line["score"]) == (entry["entry_id"], TIMED, 7, 7)
    assert [line["replayed"] for line in logged[::2]] == [False, True, True, True, True]
    assert {line["code"] for line in logged[1::2]} == {"ticket_forged"}
    text = file.read_text()
    assert ticket not in text
    assert str(caller.token) not in text
