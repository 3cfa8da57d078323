"""Real servers for every test that wants one; nothing is skipped."""

import asyncio
import shutil
import uuid
from collections.abc import Callable, Iterator

import asyncpg
import pytest

from server.embedded.folder import DataFolder
from server.embedded.secrets import ensure_secrets
from server.embedded.servers import EmbeddedServers
from tests.laurel_process import LaurelProcess, temporary_folder
from tests.turns import turn


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="the sizes that take minutes: five hundred cuts, and so on")


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether tests take the time for their full size."""
    return bool(pytestconfig.getoption("--full"))


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedServers]:
    """PostgreSQL and Redis for the whole test run."""
    root = temporary_folder()
    folder = DataFolder.prepare(root / "data")
    with folder.locked():
        servers = EmbeddedServers.choose(folder, ensure_secrets(folder))
        servers.start()
        yield servers
        servers.stop()
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def postgres_url(embedded: EmbeddedServers) -> str:
    return embedded.postgres.url


@pytest.fixture(scope="session")
def redis_url(embedded: EmbeddedServers) -> str:
    return embedded.redis.url


@pytest.fixture(scope="module")
def database_url(postgres_url: str) -> Iterator[str]:
    """An empty database of this test module."""
    name = f"test_{uuid.uuid4().hex}"
    asyncio.run(_execute(postgres_url, f"CREATE DATABASE {name}"))
    yield f"{postgres_url.rpartition('/')[0]}/{name}"
    asyncio.run(_execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def laurel() -> Iterator[LaurelProcess]:
    """Three pods for load tests, shared: leave them running."""
    with LaurelProcess() as process:
        yield process.start(pods=3)


@pytest.fixture
def laurel_factory() -> Iterator[Callable[[], LaurelProcess]]:
    """Makes instances of one's own, to be started, killed, stopped."""
    made: list[LaurelProcess] = []

    def make() -> LaurelProcess:
        made.append(LaurelProcess())
        return made[-1]

    yield make
    for process in made:
        process.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Before the time of a test begins, it waits for its turn among the workers'."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, LaurelProcess):
                report.sections.append((f"output of {name}", value.output()))
    return report


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
