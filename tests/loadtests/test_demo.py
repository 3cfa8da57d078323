"""Players that play: on a real board, for as long as `up` lives."""

import http.client
import json
from collections.abc import Callable
from urllib.parse import urlsplit

from loadtests.client import Action
from loadtests.demo import keenness, nature_of, playable
from loadtests.names import NAMES
from server.embedded.demo import Demo
from server.embedded.folder import DataFolder
from tests.laurel_process import LaurelProcess, until

ACTIONS = [Action("sprint", 10, 0, 3600, 0, "required"), Action("marathon", 1000, 600, 14400, 3600, "required")]


def players_on_board(url: str) -> set[str]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=5)
    try:
        connection.request("GET", "/api/v1/boards/global/top")
        return {entry["username"] for entry in json.load(connection.getresponse())["entries"]}
    finally:
        connection.close()


def test_names_are_different():
    assert len({username for username, _ in NAMES}) == len({shown for _, shown in NAMES}) == len(NAMES)


def test_nature_is_the_same_for_the_same_name():
    assert nature_of("hush", ACTIONS) == nature_of("hush", ACTIONS) != nature_of("bonfire", ACTIONS)
    assert [action.action_id for action in playable(ACTIONS)] == ["sprint"]


def test_who_is_behind_rests_less():
    rests = [keenness(rank) for rank in (1, 2, 3, 4, None)]
    assert rests == sorted(rests, reverse=True)


def test_demo_fills_the_board_and_ends_with_its_keeper(laurel_factory: Callable[[], LaurelProcess]):
    laurel = laurel_factory().start(pods=2)
    folder = DataFolder.prepare(laurel.data)
    for _ in range(2):  # the second time they log in
        demo = Demo(folder, laurel.urls)
        demo.start()
        until(lambda: len(players_on_board(laurel.urls[0])) >= 5)
        assert demo.exit_code() is None
        demo._process.stdin.close()
        assert demo._process.wait(10) == 0
        demo.stop()
    assert players_on_board(laurel.urls[0]) <= {username for username, _ in NAMES}
    assert (folder.root / "demo.json").stat().st_mode & 0o777 == 0o600
    assert demo.log.read_text() == ""
