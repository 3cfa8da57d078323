"""Arrays as text: PostgreSQL reads what was written, whatever is in it."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arrays import byte_strings, numbers, texts


@pytest.fixture(scope="module")
def reads(database_url: str) -> Iterator:
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))
        yield lambda kind, text: runner.run(connection.fetchval(f"SELECT $1::text::{kind}[]", text))
        runner.run(connection.close())


characters = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
some = st.one_of(st.text(characters), st.sampled_from(["", "NULL", "null", "{}", '"', "\\", "a,b", '{"a":"\\""}', " "]))


def or_none(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(st.none() | values, max_size=5)


@given(or_none(some), or_none(st.integers(-(2**63), 2**63 - 1)), or_none(st.binary(max_size=9)))
def test_what_is_written_is_read(reads, words, integers, pieces):
    for kind, text, values in (
        ("text", texts(words), words),
        ("bigint", numbers(integers), integers),
        ("bytea", byte_strings(pieces), pieces),
    ):
        assert reads(kind, text) == (values if any(value is not None for value in values) else None)


def test_ids_are_read(reads):
    ids = [uuid4(), uuid4()]
    assert reads("uuid", texts(map(str, ids))) == ids


def test_what_is_no_id_takes_no_place_of_its_neighbours(reads):
    with pytest.raises(asyncpg.DataError):
        reads("uuid", texts([str(uuid4()), f"{uuid4()},{uuid4()}"]))
