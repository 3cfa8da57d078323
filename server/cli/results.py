"""What a command prints while it still talks to a server."""

import sys


class ResultsLost(Exception):
    """Results cannot be written: not an OSError itself, which would be taken for the server's."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def put(line: str, *, at_once: bool = False) -> None:
    """Writes a line to stdout, where it may wait for more unless it is to be seen at once; raises ResultsLost."""
    try:
        sys.stdout.write(line)
        if at_once:
            sys.stdout.flush()
    except OSError as error:
        raise ResultsLost(error) from error
