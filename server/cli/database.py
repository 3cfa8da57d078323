"""The database as commands use it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.chain import Chain
from models.database import Database
from models.migrate import missing
from server.cli.servers import CommandError
from server.settings import Settings


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database, open; raises CommandError when migrations are missing, and DatabaseUnavailable."""
    url = str(settings.database_url)
    if lacking := await missing(url):
        raise CommandError(f"the database lacks {', '.join(lacking)}: run `laurel migrate` first")
    database = Database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def chain_of(settings: Settings) -> Chain:
    """The chain with the audit keys in force."""
    return Chain({key.kid: key.secret for key in settings.audit_keys}, settings.audit_keys[-1].kid)
