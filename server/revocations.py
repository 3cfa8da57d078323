"""What this pod must refuse before its time: ended sessions and erased players."""

import time
from collections.abc import Callable, Sequence

from models.sessions import Revocation, RevokedKind
from server.auth import Revoked

TIDY_SECONDS = 600.0


class Revocations:
    """Keeps `revoked` as it is told, and says when something new is in it."""

    def __init__(self, revoked: Revoked, on_new: Callable[[], None]) -> None:
        self._revoked = revoked
        self._on_new = on_new
        self._tidied = time.monotonic()

    def take(self, revocations: Sequence[Revocation]) -> None:
        """Refuses these from now on."""
        new = False
        for revocation in revocations:
            known = self._revoked.sessions if revocation.kind is RevokedKind.SESSION else self._revoked.players
            if known.get(revocation.subject, 0.0) < revocation.until:
                new = new or revocation.subject not in known
                known[revocation.subject] = revocation.until
        if new:
            self._on_new()
        if time.monotonic() - self._tidied > TIDY_SECONDS:
            self._tidy()

    def _tidy(self) -> None:
        """Forgets what no token can ask for any more."""
        self._tidied = time.monotonic()
        for known in (self._revoked.sessions, self._revoked.players):
            for subject in [subject for subject, until in known.items() if until < time.time()]:
                del known[subject]
