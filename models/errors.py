"""What can go wrong between Laurel and its database.

ModelError
├── DatabaseUnavailable   away, restarting, too slow; whether a write happened is unknown
├── Contended             the database broke a deadlock or a conflict; nothing was written
├── DataRejected          the database refuses a value; nothing was written
├── BoardInvalid          a board breaks a rule; says which
├── BoardConflict         a board stands as it is for a reason; says which
├── CatalogueInvalid      an action or catalogue file breaks a rule; says which
├── CheckpointInvalid     a file is no checkpoint that we signed
├── RestoreUnfinished     a restore was killed half-way; the next restore says what to do
├── ArchiveInvalid        a file is no archive that we signed
└── ArchiveRefused        a month of the ledger may not be archived, or not now; nothing is gone
"""

import asyncio

import asyncpg
from tortoise.exceptions import BaseORMException, DBConnectionError, OperationalError


class ModelError(Exception):
    """Root of everything that `models` raises."""


class DatabaseUnavailable(ModelError):
    """The database did not answer: the outcome is unknown."""


class Contended(ModelError):
    """The database gave way to somebody else: nothing was written, try again."""


class DataRejected(ModelError):
    """The database refused a value: nothing was written."""


class BoardInvalid(ModelError):
    """A board breaks a rule; the message names it."""


class BoardConflict(ModelError):
    """A board may not be changed so as things stand; the message says why."""


class CatalogueInvalid(ModelError):
    """A catalogue breaks a rule; the message names it."""


class CheckpointInvalid(ModelError):
    """A file is no checkpoint that we signed; the message says why."""


class RestoreUnfinished(ModelError):
    """A restore was killed half-way: what was there stands aside, and nothing may be made in its place."""


class ArchiveInvalid(ModelError):
    """A file is no archive that we signed; the message says why."""


class ArchiveRefused(ModelError):
    """A month stays in the ledger; the message says why."""


CONTENDED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
AWAY = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.InternalClientError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    DBConnectionError,
)

ANOTHER_SCHEMA = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.UndefinedFunctionError)


def typed(error: BaseException) -> ModelError:
    """The `ModelError` that a driver's exception stands for."""
    cause = error.args[0] if isinstance(error, BaseORMException) and error.args else error
    if isinstance(error, CONTENDED) or isinstance(cause, CONTENDED):
        return Contended(str(cause))
    if isinstance(error, AWAY) or isinstance(cause, AWAY):
        return DatabaseUnavailable(_said(cause))
    if isinstance(cause, asyncpg.DataError | asyncpg.IntegrityConstraintViolationError | ValueError | TypeError):
        return DataRejected(_said(cause))
    if isinstance(error, OperationalError) or isinstance(cause, asyncpg.PostgresError):
        return DatabaseUnavailable(_said(cause))
    return DataRejected(_said(cause))


def _said(cause: object) -> str:
    """The exception's name and what it says, if anything; and what to do where migrations are missing."""
    said = f"{type(cause).__name__}: {cause}".removesuffix(": ")
    return f"{said} (not the schema of this version: laurel migrate)" if isinstance(cause, ANOTHER_SCHEMA) else said
