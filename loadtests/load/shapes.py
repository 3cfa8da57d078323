"""How many people there are when: ramps as locust's shapes.

`--users` people at most over `--run-time`; without a run time a shape repeats every two minutes until stopped.
"""

import math
from abc import abstractmethod

from locust import LoadTestShape

PERIOD_SECONDS = 120.0
DEFAULT_USERS = 60
LONGEST_RAMP_SECONDS = 20.0
STEPS = 5


class Shape(LoadTestShape):
    """Root of shapes; a share of the people at a part of the time, both from 0 to 1."""

    abstract = True
    use_common_options = True

    @abstractmethod
    def share(self, part: float) -> float:
        """How many of the people are there."""

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        most, seconds = options.num_users or DEFAULT_USERS, options.run_time
        at = self.get_run_time()
        if seconds and at >= seconds:
            return None
        period = float(seconds or PERIOD_SECONDS)
        ramp = min(LONGEST_RAMP_SECONDS, period / 4)
        share = min(1.0, at / ramp, self.share(at % period / period))
        people = max(1, round(most * share))
        return people, options.spawn_rate or max(1.0, most / 5)


class Steady(Shape):
    """All of them, from the ramp to the end."""

    abstract = True

    def share(self, part: float) -> float:
        return 1.0


class Waves(Shape):
    """Four evenings: up and down between a fifth and all."""

    abstract = True

    def share(self, part: float) -> float:
        return 0.6 - 0.4 * math.cos(part * 4 * 2 * math.pi)


class Spike(Shape):
    """A quarter, then everybody at once for a fifth of the time."""

    abstract = True

    def share(self, part: float) -> float:
        return 1.0 if 0.4 <= part < 0.6 else 0.25


class Stairs(Shape):
    """Five steps up: where budgets break is what the server carries."""

    abstract = True

    def share(self, part: float) -> float:
        return (math.floor(part * STEPS) + 1) / STEPS


SHAPES: dict[str, type[Shape]] = {"steady": Steady, "waves": Waves, "spike": Spike, "stairs": Stairs}


class Chosen(Shape):
    """The shape that `--shape` names; locust takes only one class from a file."""

    def share(self, part: float) -> float:
        assert self.runner is not None
        kind = SHAPES[self.runner.environment.parsed_options.shape]
        return kind.share(self, part)  # type: ignore[arg-type]
