"""Why an actor could not answer.

ActorError
├── Busy               try again: a full mailbox, a deadline, shutting down
│   └── MailboxFull
├── PlayerUnknown      the token's player does not exist (any more)
├── EntryUnknown       nothing is recorded under this id
├── ScoreOutOfRange    the score would leave what a double holds exactly
├── ScoreExists        a score that is to be created is there already
├── TooManyGroups      the player is in as many groups as one may be
├── Unchanged          there is nothing to do: it is so already
└── KeyConflict        an idempotency key, or a void, was used for something else
"""


class ActorError(Exception):
    """Root of everything that `actors` raises."""


class Busy(ActorError):
    """Nothing is known to have happened; the same request may be sent again."""


class MailboxFull(Busy):
    """This player has too many requests waiting."""


class PlayerUnknown(ActorError):
    """There is no such player."""


class EntryUnknown(ActorError):
    """Nothing is recorded under this id."""


class KeyConflict(ActorError):
    """The same key was used with another request."""


class ScoreOutOfRange(ActorError):
    """The score would leave what a double holds exactly."""


class ScoreExists(ActorError):
    """This player has a score already."""


class TooManyGroups(ActorError):
    """This player is in as many groups as one may be."""


class Unchanged(ActorError):
    """It is so already, and no entry was written."""
