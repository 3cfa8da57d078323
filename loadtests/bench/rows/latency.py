"""From the commit of a redemption to the frame that shows it, read by a viewer."""

from collections.abc import Iterable
from typing import Any

import msgspec

from loadtests.bench.ceiling import PATH
from loadtests.bench.crowd import Crowd
from loadtests.bench.figures import Figure, percentile
from loadtests.bench.measured import mint_warm, warm_up
from loadtests.bench.minting import Player
from loadtests.bench.plan import Plan
from loadtests.bench.pods import port_of
from loadtests.bench.processes import BenchError
from loadtests.bench.stage import Stage
from loadtests.bench.wrk import Generator, Load

PODS = 2
SAMPLED = 50
"""Viewers whose frames are looked into, in a process of their own."""
PER_SECOND = 500
CONNECTIONS = 32
"""Of each pod's generator."""
ANSWER_MS = 5
"""About what an answer takes: the pause between requests is shorter by it."""
HOT, HOT_EVERY = 20, 4
"""Every fourth redemption is one of twenty players, who overtake one another in the top."""
SECONDS = 8.0

COMMITS = """
    SELECT user_id::text, score_after, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS at FROM ledger
"""


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """The median and the p99 of each round."""
    middles, tails, rates = [], [], []
    with stage.commit_times():
        for turn in range(plan.rounds):
            delays, rate = _round(stage, plan)
            middles.append(percentile(delays, 0.5) * 1e3)
            tails.append(percentile(delays, 0.99) * 1e3)
            rates.append(rate)
            plan.say(
                f"round {turn + 1}: p50 {middles[-1]:.1f} ms, p99 {tails[-1]:.1f} ms of {len(delays):,} at {rate:.0f}/s"
            )
    note = (
        f"{SAMPLED} of {plan.viewers:,} viewers on {PODS} pods; from the transaction's commit time, before its "
        f"fsync; frames go out at most 20 times a second"
    )
    return [
        Figure("commit → frame read by a viewer, p50", tuple(middles), "ms", "at most", 30, None, note),
        Figure("commit → frame read by a viewer, p99", tuple(tails), "ms", "at most", 100, 50),
        Figure("redemptions/s meanwhile", tuple(rates), "/s"),
    ]


def _round(stage: Stage, plan: Plan) -> tuple[list[float], float]:
    shares = [stage.players[number::PODS] for number in range(PODS)]
    warm = [mint_warm(stage, f"warm-{number}", share) for number, share in enumerate(shares)]
    with stage.fresh("latency") as database, stage.pods(database, PODS) as pods:
        ports = [port_of(pod) for pod in pods]
        for pod, folder in zip(pods, warm, strict=True):
            warm_up(pod.url + PATH, folder)
        with Crowd(plan.viewers - SAMPLED, ports) as crowd, Crowd(SAMPLED, ports, noted=True) as sampled:
            pause = 1_000 * CONNECTIONS * PODS / PER_SECOND - ANSWER_MS
            generators = []
            for number, (pod, share) in enumerate(zip(pods, shares, strict=True)):
                players = _players(share)
                folder = stage.mint.write(
                    stage.work / f"pod-{number}", players, int(2 * PER_SECOND * SECONDS) + len(players)
                )
                generators.append(Generator(pod.url + PATH, Load(CONNECTIONS, SECONDS, folder, pause_ms=pause)))
            answers = [generator.finish() for generator in generators]
            crowd.ask()
            noted = sampled.ask().noted
        commits = {(row["user_id"], row["score_after"]): row["at"] for row in stage.rows(database, COMMITS)}
    delays = _delays(noted, commits)
    if not delays:
        raise BenchError("no frame showed a redemption")
    return delays, sum(found.rate for found in answers)


def _players(players: list[Player]) -> list[Player]:
    """In the order in which they redeem: every fourth is one of the hot ones."""
    hot, rest = players[: HOT // PODS], players[HOT // PODS :]
    return [hot[n // HOT_EVERY % len(hot)] if n % HOT_EVERY == 0 else rest[n % len(rest)] for n in range(len(rest))]


def _delays(noted: Iterable[tuple[int, float, str]], commits: dict[tuple[str, int], float]) -> list[float]:
    """For each viewer and score, how long after its commit it was first read; what a snapshot shows is older."""
    seen: dict[int, set[tuple[str, int]]] = {}
    delays = []
    for viewer, at, text in noted:
        frame: dict[str, Any] = msgspec.json.decode(text)
        if frame["type"] not in ("leaderboard.snapshot", "leaderboard.update"):
            continue
        known = seen.setdefault(viewer, set())
        rows = frame["data"].get("updatedPositions", frame["data"].get("entries", ()))
        shown = {(row["userId"], row["score"]) for row in rows} - known
        if frame["type"] == "leaderboard.update":
            delays += [at - commits[key] for key in shown if key in commits]
        known |= shown
    return delays
