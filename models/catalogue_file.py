"""The catalogue as a file: JSON or CSV, and the sample that Laurel brings."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import msgspec

from models import catalogue
from models.catalogue import Action, check
from models.database import Database
from models.doubles import refuse_doubles
from models.errors import CatalogueInvalid

SAMPLE = Path(__file__).with_name("samples") / "actions.json"

COLUMNS = tuple(msgspec.structs.fields(Action))
NAMES = tuple(column.encode_name for column in COLUMNS)


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON form."""

    actions: list[Action]


def read_json(text: str | bytes) -> list[Action]:
    """Actions from `{"actions": […]}`; raises CatalogueInvalid."""
    try:
        document = msgspec.json.decode(text, type=Document)
        refuse_doubles(text)
        return check(document.actions)
    except (msgspec.MsgspecError, ValueError) as error:
        raise CatalogueInvalid(str(error)) from error


def read_csv(text: str) -> list[Action]:
    """Actions from a table whose first line names the columns; an empty cell means the default.

    Raises CatalogueInvalid, naming the line.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    actions = []
    try:
        names = reader.fieldnames
        if not names:
            raise ValueError("the first line must name the columns")
        if len(set(names)) < len(names):
            raise ValueError("a column stands twice")
        for row in reader:
            cells = {name: _cell(name, value) for name, value in row.items() if value not in (None, "")}
            actions.append(msgspec.convert(cells, Action, strict=False))
    except (csv.Error, msgspec.MsgspecError, TypeError, ValueError) as error:
        raise CatalogueInvalid(f"line {max(reader.line_num, 1)}: {error}") from error
    return check(actions)


def _cell(name: str | None, value: str) -> str:
    if name is None:
        raise ValueError("more cells than there are columns")
    return value.strip().lower() if name == "enabled" else value


def write_json(actions: Iterable[Action]) -> str:
    """The JSON form, one action after the other, ending with a line break."""
    document = msgspec.json.encode(Document(sorted(actions, key=lambda action: action.action_id)))
    return msgspec.json.format(document, indent=2).decode() + "\n"


def write_csv(actions: Iterable[Action]) -> str:
    """The CSV form with a line of names; an empty cell stands for no limit."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(NAMES)
    for action in sorted(actions, key=lambda action: action.action_id):
        writer.writerow(_text(getattr(action, column.name)) for column in COLUMNS)
    return text.getvalue()


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


async def seed_if_empty(database_url: str) -> int:
    """Imports the sample catalogue into a database that has none; the number of actions."""
    database = Database(database_url)
    await database.open()
    try:
        if (await catalogue.load(database)).present:
            return 0
        return await catalogue.save(database, read_json(SAMPLE.read_bytes()))
    finally:
        await database.close()
