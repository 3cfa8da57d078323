"""Who was overtaken by whom, and who only fell."""

import pytest

from actors.frames import Top, UpdatedPosition
from actors.overtaking import overtaken
from models.ids import UserId


def top(*scores: tuple[str, int]) -> Top:
    rows = [
        UpdatedPosition(UserId(user), user, user, None, score, rank) for rank, (user, score) in enumerate(scores, 1)
    ]
    return Top("global", "all", "e", 1, 0, tuple(rows))


FULL = [(f"p{number}", 100 - number) for number in range(10)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([("a", 2), ("b", 1)], [("b", 3), ("a", 2)], [("a", "b", 2)]),
        ([("a", 3), ("b", 2), ("c", 1)], [("c", 5), ("b", 4), ("a", 3)], [("a", "b", 3)]),
        ([("a", 2)], [("b", 3), ("a", 2)], [("a", "b", 2)]),
        ([("a", 2), ("b", 1)], [("b", 1), ("a", 0)], []),
        ([("a", 2), ("b", 1)], [("b", 1)], []),
        ([("a", 2)], [("a", 2), ("b", 1)], []),
        ([], [("a", 1)], []),
        (FULL, [*FULL[:9], ("new", 92)], [("p9", "new", 11)]),
        (FULL, [*FULL[:9], ("new", 1)], []),
    ],
)
def test_overtaken(before: list, after: list, expected: list):
    found = overtaken(top(*before), top(*after))
    assert [(one.user_id, one.by, one.rank) for one in found] == expected
