"""Dialect E: `PATCH /api/score/update`, `GET /api/score/top`, the event `scoreboardUpdate`.

It writes and reads with A's words: tests/contract/test_dialect_a.py asks both for each of them.
"""

import json

from websockets.sync.client import connect

from tests.caller import Caller
from tests.contract.frontend import INSTANT, TIMED, assert_coded, entries_of, scored, send
from tests.laurel_process import LaurelProcess

PATH = "/api/score/update"
READ = "/api/score/top"


def test_a_lost_answer_is_asked_for_again_safely(board: LaurelProcess, caller: Caller) -> None:
    ticket = caller.issue(TIMED)["ticket"]
    body = json.dumps({"actionId": ticket}).encode()
    answers = []
    for url in (*board.urls, *board.urls):
        with caller.at(url) as there:
            answers.append(send(there, "PATCH", PATH, body).json())
    assert answers == [{"success": True, "newScore": 7}] * 4
    assert len(entries_of(board, caller.user_id)) == 1


def test_the_whole_top_is_pushed_as_scoreboard_update(board: LaurelProcess, caller: Caller) -> None:
    scored(board, 2)
    url = f"{board.urls[1].replace('http', 'ws')}/api/v1/live?board=global&format=full"
    best = int(caller.http.get(READ).json()[0]["score"])
    with connect(url, proxy=None) as socket:
        while True:
            pushed = json.loads(socket.recv(timeout=10))
            if pushed["type"] == "scoreboardUpdate":
                break
        for _ in range(best // 3 + 1):
            body = json.dumps({"actionId": INSTANT}).encode()
            assert send(caller, "PATCH", PATH, body).status_code == 200
        while pushed["data"]["topScores"][0]["userId"] != caller.user_id:
            pushed = json.loads(socket.recv(timeout=10))
            assert pushed["type"] == "scoreboardUpdate"
            assert set(pushed["data"]) == {"topScores"}
            assert len(pushed["data"]["topScores"]) <= 10
    top = [{"userId": row["userId"], "score": row["score"]} for row in pushed["data"]["topScores"]]
    assert top == caller.http.get(READ).json()


def test_without_a_token_it_is_401(board: LaurelProcess) -> None:
    with Caller(board.urls[0]) as nobody:
        assert_coded(nobody.http.patch(PATH, json={"actionId": INSTANT}), 401, "token_missing")
        assert_coded(nobody.http.get(READ), 401, "token_missing")
