"""What a pod counts at its edge, for `server.metrics` to name."""

from collections import Counter, defaultdict

from actors.tally import Histogram

READS = ("top", "around", "place", "subset")
"""What is read of a board. They are told from the start: what appears with its first value has no rate."""


class Tallies:
    """Plain counters, incremented inline; one object a pod.

    `requests` is by route, method and status; `refusals` by the stable code of the answer. `verified` is the
    time from a redemption's body to a command, `redeemed` from there to its outcome; `lagged` from the oldest commit
    that a frame shows to that frame, `pushed` for writing one frame to all viewers; `read` is by what was read of a
    board, its handler's time.
    """

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self.refusals: Counter[str] = Counter()
        self.replays = 0
        self.verified = Histogram()
        self.redeemed = Histogram()
        self.read = {name: Histogram() for name in READS}
        self.lagged = Histogram()
        self.pushed = Histogram()
        self.loop_lag_seconds = 0.0
