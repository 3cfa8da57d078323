"""What a driver's exception means: unknown outcome, try again, or refused."""

import asyncpg
import pytest
from tortoise.exceptions import DBConnectionError, IntegrityError, OperationalError

from models.errors import Contended, DatabaseUnavailable, DataRejected, ModelError, typed

CASES: list[tuple[type[ModelError], BaseException]] = [
    *((Contended, error) for error in (asyncpg.DeadlockDetectedError("x"), asyncpg.SerializationError("x"))),
    *(
        (DatabaseUnavailable, error)
        for error in (
            OSError("x"),
            ConnectionResetError("x"),
            TimeoutError(),
            TimeoutError(),
            asyncpg.InterfaceError("x"),
            asyncpg.ConnectionDoesNotExistError("x"),
            asyncpg.CannotConnectNowError("x"),
            asyncpg.TooManyConnectionsError("x"),
            asyncpg.AdminShutdownError("x"),
            asyncpg.QueryCanceledError("x"),
            asyncpg.InvalidPasswordError("x"),
            asyncpg.InvalidCatalogNameError("x"),
            asyncpg.DiskFullError("x"),
            asyncpg.ReadOnlySQLTransactionError("x"),
            asyncpg.UndefinedTableError("x"),
            DBConnectionError("x"),
            OperationalError("x"),
        )
    ),
    *(
        (DataRejected, error)
        for error in (
            asyncpg.DataError("x"),
            asyncpg.CharacterNotInRepertoireError("x"),
            asyncpg.NumericValueOutOfRangeError("x"),
            asyncpg.UniqueViolationError("x"),
            asyncpg.ForeignKeyViolationError("x"),
            asyncpg.CheckViolationError("x"),
            UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"),
            TypeError("x"),
            ValueError("x"),
        )
    ),
]


@pytest.mark.parametrize(
    ("expected", "error"), CASES, ids=lambda value: getattr(value, "__name__", type(value).__name__)
)
def test_each_driver_exception_has_its_meaning(expected: type[ModelError], error: BaseException):
    assert type(typed(error)) is expected
    if isinstance(error, asyncpg.PostgresError):
        wrapper = IntegrityError if isinstance(error, asyncpg.IntegrityConstraintViolationError) else OperationalError
        assert type(typed(wrapper(error))) is expected


def test_an_exception_without_words_is_told_by_its_name():
    assert str(typed(TimeoutError())) == "TimeoutError"
    assert str(typed(TimeoutError("pool"))) == "TimeoutError: pool"


@pytest.mark.parametrize("missing", [asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError])
def test_a_schema_of_another_version_says_what_to_do(missing: type[asyncpg.PostgresError]):
    error = typed(missing('relation "players" does not exist'))
    assert isinstance(error, DatabaseUnavailable)
    assert str(error).endswith('relation "players" does not exist (not the schema of this version: laurel migrate)')
