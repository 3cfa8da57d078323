"""Memory of a viewer who waits and of a player's actor that idles."""

import time
from collections.abc import Sequence

from loadtests.bench import boards
from loadtests.bench.ceiling import PATH
from loadtests.bench.crowd import Crowd
from loadtests.bench.figures import Figure
from loadtests.bench.measured import mint_warm, warm_up
from loadtests.bench.minting import Player
from loadtests.bench.plan import USUAL, Plan
from loadtests.bench.pods import pid_of, port_of
from loadtests.bench.processes import BenchError, private_bytes
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Generator, Load

BOARDS = 8
KIB = 1_024
SOME = 100
"""Viewers who come first, so that what a pod needs once is not charged to those who are counted."""
PAUSE_MS = 40
"""Of a connection: some 2,500 redemptions a second, so that little is under way at any time."""
SETTLED_SECONDS = 30.0
LOOKED_AT_SECONDS = 60
"""A load ends sooner: when its tickets do."""
POLL_SECONDS = 0.25

STATES = """
    INSERT INTO standings (board_key, period, user_id, score, reached_at, version, present, hidden)
    SELECT board_id || '/' || revision, CASE "window" WHEN 'all' THEN 'all' WHEN 'day' THEN to_char(utc, 'YYYY-MM-DD')
           WHEN 'week' THEN to_char(utc, 'IYYY"-W"IW') ELSE to_char(utc, 'YYYY-MM') END,
           u.id, 10, (extract(epoch FROM now()) * 1000)::bigint - 1000, 0, true, false
    FROM boards CROSS JOIN (SELECT now() AT TIME ZONE 'UTC' AS utc) AS t CROSS JOIN unnest($1::uuid[]) AS u (id)
"""
MEMOS = """
    INSERT INTO player_memos (user_id, version, boards, actions)
    SELECT u.id, 0, (SELECT array_agg(board_id || '/' || revision) FROM boards),
           (SELECT jsonb_object_agg(action_id, jsonb_build_array((extract(epoch FROM now()) * 1000)::bigint - 1000,
                    (extract(epoch FROM now()) / 86400)::bigint, 1))
            FROM (SELECT action_id FROM actions WHERE action_id <> 'check-in' ORDER BY 1) AS a)
    FROM unnest($1::uuid[]) AS u (id)
"""
SETTLED = """
    SELECT count(*) AS redeemed, count(*) FILTER (WHERE p.version > coalesce(m.version, 0)) AS behind
    FROM players p LEFT JOIN player_memos m ON m.user_id = p.id WHERE p.version > 0 AND p.id = ANY($1::uuid[])
"""


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Private memory of a pod before and after, divided by how many came."""
    viewers, actors = [], []
    for turn in range(plan.rounds):
        viewers.append(_viewer(stage, plan) / KIB)
        actors.append(_actor(stage, plan) / KIB)
        plan.say(f"round {turn + 1}: {viewers[-1]:.1f} KiB a viewer, {actors[-1]:.2f} KiB an actor")
    return [
        Figure("memory of an idle viewer", tuple(viewers), "KiB", "at most", 35, 15, "without the kernel's buffers"),
        Figure(
            "memory of an idle user actor, 8 boards and 8 actions",
            tuple(actors),
            "KiB",
            "at most",
            3,
            1.5,
            f"{plan.idle_actors:,} players whose tokens the pod had remembered before, after one redemption each",
        ),
    ]


def _viewer(stage: Stage, plan: Plan) -> float:
    with stage.fresh("memory") as database, stage.pods(database) as (pod,):
        warm_up(pod.url + PATH, mint_warm(stage))
        port = port_of(pod)
        with Crowd(SOME, [port]):
            before = private_bytes(pid_of(pod))
            with Crowd(plan.viewers, [port]) as crowd:
                crowd.ask()
                return (private_bytes(pid_of(pod)) - before) / plan.viewers


def _actor(stage: Stage, plan: Plan) -> float:
    with stage.fresh("memory") as database:
        boards.define(stage, database, BOARDS)
        players = stage.mint.players(stage.add_players(database, plan.idle_actors))
        ids = [player.user_id for player in players]
        stage.rows(database, STATES, ids)
        stage.rows(database, MEMOS, ids)
        with stage.pods(database) as (pod,):
            warm_up(pod.url + PATH, mint_warm(stage))
            _remember(pod.url, stage, players)
            _settled(stage, database, [player.user_id for player in stage.players])
            before = private_bytes(pid_of(pod))
            folder = stage.mint.write(stage.work / "actors", players, len(players))
            seconds = len(players) / (1_000 * USUAL / PAUSE_MS) * 2 + 5
            Generator(pod.url + PATH, Load(USUAL, seconds, folder, pause_ms=PAUSE_MS)).finish()
            redeemed = _settled(stage, database, ids)
            return (private_bytes(pid_of(pod)) - before) / redeemed


def _remember(url: str, stage: Stage, players: list[Player]) -> None:
    """Has the pod verify each player's token, without a turn of an actor."""
    folder = stage.mint.write(stage.work / "forged", players, len(players))
    lines = (folder / "tickets-0").read_text().splitlines()
    (folder / "tickets-0").write_text("".join(f"{line[:6]}x\n" for line in lines))
    found = Generator(url + PATH, Load(USUAL, LOOKED_AT_SECONDS, folder)).finish()
    if found.refused < len(players) - USUAL - 1:
        raise BenchError("not every token was looked at")


def _settled(stage: Stage, database: str, ids: Sequence[str]) -> int:
    """Waits until what was redeemed is written behind the path too; how many players redeemed."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while True:
        (row,) = stage.rows(database, SETTLED, ids)
        redeemed: int = row["redeemed"]
        if not row["behind"]:
            return redeemed
        if time.monotonic() > deadline:
            raise BenchError(f"standings of {row['behind']} of {redeemed} players were not written")
        time.sleep(POLL_SECONDS)
