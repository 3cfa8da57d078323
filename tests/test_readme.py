"""The README says what the code says."""

import re
from pathlib import Path

from server.cli.main import COMMANDS
from server.settings import describe

README = (Path(__file__).parent.parent / "README.md").read_text()


def table() -> str:
    rows = [f"| `{name}` | {f'`{default}`' if default else ''} | {text} |" for name, default, text in describe()]
    return "\n".join(["| variable | default | what |", "|---|---|---|", *rows])


def test_the_configuration_table_is_that_of_the_settings() -> None:
    found = re.search(r"<!-- settings -->\n(.*)\n<!-- /settings -->", README, re.DOTALL)
    assert found is not None
    assert found[1] == table()


def test_every_command_is_in_the_readme() -> None:
    for command in COMMANDS:
        assert f"`laurel {command}" in README


def test_every_picture_and_page_that_is_linked_is_there() -> None:
    root = Path(__file__).parent.parent
    for page in (root / "README.md", *(root / "docs").glob("*.md")):
        for path in re.findall(r"]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / path).is_file(), f"{page.name}: {path}"


def test_every_chapter_that_is_linked_is_there() -> None:
    chapters = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall("^#+ (.+)", README, re.M)
    }
    assert set(re.findall(r"]\(#([^)]+)\)", README)) <= chapters
