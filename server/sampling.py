"""Which requests become log lines."""


class Sampling:
    """One in so many; none when that is 0."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._left = every

    def due(self) -> bool:
        """Whether this one is it."""
        self._left -= 1
        if self._left:
            return False
        self._left = self._every
        return True
