"""What every statement in a file has to keep to."""

import re
from pathlib import Path

import pytest

from models.database import SQL_FOLDER

STATEMENTS = sorted(SQL_FOLDER.glob("*.sql"))
CAST = re.compile(r"(?<![\w.$])(?:\w+\.)?(\w+)::text(?! AS)")
ORDERS = re.compile(r"ORDER BY\s+(.*?)(?:LIMIT|OFFSET|\)|$)", re.DOTALL)


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_nothing_is_sorted_by_the_text_that_it_is_answered_as(path: Path):
    """A bare name in ORDER BY is the answer's column first: the index on the cast one would be of no use."""
    statement = re.sub(r"--.*", "", path.read_text())
    ordered = {
        word for found in ORDERS.findall(statement) for word in re.findall(r"(?<![\w.])([a-z_]+)(?![\w.(])", found)
    }
    depth_safe = statement.count("SELECT") == 1 or "UNION" in statement
    assert not depth_safe or not ordered & set(CAST.findall(statement))
