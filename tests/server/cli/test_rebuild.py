"""`laurel rebuild`: a new epoch, also for pods that run."""

import socket

import httpx

from tests.laurel_process import LaurelProcess, until


def test_every_board_gets_a_new_epoch(run):
    first, second = run("rebuild"), run("rebuild")
    rows = [line.split("\t") for line in first.lines]
    assert [board for board, _, _ in rows] == ["global", "weekly", "daily", "monthly"]
    assert rows[0][1] == "all"
    assert set(first.lines).isdisjoint(second.lines)
    assert [line.split("\t")[0] for line in run("rebuild", "--board", "weekly").lines] == ["weekly"]


def test_unknown_board_is_one_line(run):
    assert (
        "there is no board 'nope'; there are global, weekly, daily, monthly, season"
        in run("rebuild", "--board", "nope").complaint
    )


def test_redis_that_is_away_is_one_line(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "Redis does not answer" in run("rebuild", redis_url=f"redis://127.0.0.1:{port}/0").complaint


def test_running_pods_take_over_the_new_epoch(laurel: LaurelProcess):
    (token, ticket), *_ = laurel.mint_tickets(count=2)
    url = f"{laurel.urls[0]}/api/v1/tickets/redeem"
    assert httpx.post(url, json={"ticket": ticket}, headers={"Authorization": f"Bearer {token}"}).status_code == 200

    def shown(url: str) -> dict[str, object]:
        return httpx.get(f"{url}/api/v1/boards/global/top").json()

    before = shown(laurel.urls[0])
    _, _, epoch = laurel.run("rebuild", "--board", "global").strip().split("\t")
    assert epoch != before["epoch"]
    for pod in laurel.urls:
        until(lambda pod=pod: shown(pod)["epoch"] == epoch)
        assert shown(pod)["entries"] == before["entries"]
