"""Ids: ordered by time, told apart from anything else."""

import uuid

import pytest

from models.ids import is_slug, is_uuid, uuid7, uuid7_ms

NOW = 1_790_000_000_123


def test_a_uuid7_is_one_to_everybody_else():
    for _ in range(100):
        value = uuid7(NOW)
        parsed = uuid.UUID(value)
        assert str(parsed) == value
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert parsed.int >> 80 == NOW


@pytest.mark.parametrize("at", [0, 1, NOW, 2**48 - 1])
def test_the_time_comes_back(at: int):
    assert uuid7_ms(uuid7(at)) == at


def test_later_ids_sort_later_as_text_and_as_bytes():
    values = [uuid7(NOW + step) for step in range(0, 5_000, 7)]
    assert values == sorted(values)
    assert values == sorted(values, key=lambda value: uuid.UUID(value).bytes)


def test_ids_of_one_moment_differ():
    assert len({uuid7(NOW) for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (str(uuid.UUID(int=0)), True),
        (uuid7(NOW), True),
        (uuid7(NOW).upper(), False),
        (uuid7(NOW) + "\n", False),
        (uuid7(NOW).replace("-", ""), False),
        (" " + uuid7(NOW)[1:], False),
        ("", False),
        ("g" * 8 + uuid7(NOW)[8:], False),
        ("٠" + uuid7(NOW)[1:], False),
    ],
    ids=["nil", "ours", "capitals", "newline", "bare", "blank", "empty", "letters", "another digit"],
)
def test_only_the_canonical_form_is_a_uuid(value: str, expected: bool):
    assert is_uuid(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", True), ("a-1", True), ("-", True), ("x" * 64, True), ("x" * 65, False)]
    + [(value, False) for value in ("", "A", "a b", "a_b", "ä", "a\n", "a/b", "a\x00", "١")],
)
def test_slugs_are_short_and_plain(value: str, expected: bool):
    assert is_slug(value) is expected
