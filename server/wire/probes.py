"""The shapes of what says whether a pod lives and is ready."""

from server.wire.fields import Wire


class Health(Wire, frozen=True):
    """The loop turns."""

    status: str


class Readiness(Wire, frozen=True):
    """Whether a pod is ready, what it lacks, and which shared servers are away."""

    ready: bool
    missing: list[str]
    degraded: list[str]
