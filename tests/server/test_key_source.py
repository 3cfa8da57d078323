"""Where outside keys come from: never longer, larger or elsewhere than the operator said."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from actors.supervisor import Supervisor
from server import key_source
from server.jwks import MAX_BYTES, JwksError
from server.key_source import FAILURES, KeySource, fetch
from tests.pods import awaited
from tests.server.identity.issuer import Issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as found:
        yield found


@asynccontextmanager
async def following(address: str, adopt: Callable[[object], None], seconds: float = 60) -> AsyncIterator[KeySource]:
    supervisor = Supervisor()
    source = KeySource(address, seconds, adopt)
    source.start(supervisor)
    try:
        yield source
    finally:
        await supervisor.stop(1)


async def test_a_file_is_read_whole_however_it_is_named(tmp_path: Path, issuer: Issuer):
    path = tmp_path / "key set.json"
    path.write_bytes(issuer.body)
    assert await fetch(str(path)) == await fetch(path.as_uri()) == issuer.body
    with pytest.raises(OSError, match="No such file"):
        await fetch(str(tmp_path / "none.json"))


async def test_a_redirect_leads_nowhere(issuer: Issuer):
    with Issuer() as other:
        for target in (other.url, "file:///etc/passwd", "https://evil.example/"):
            issuer.status, issuer.headers = 302, {"Location": target}
            with pytest.raises(JwksError, match="302"):
                await fetch(issuer.url)
        assert other.fetched == 0


async def test_a_long_answer_is_not_read_to_its_end(issuer: Issuer):
    issuer.body = b" " * (MAX_BYTES * 40)
    with pytest.raises(JwksError, match="more than"):
        await fetch(issuer.url)


async def test_a_slow_answer_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(key_source, "FETCH_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not over.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    break
            connection.close()

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(FAILURES):
            await fetch(f"http://127.0.0.1:{server.getsockname()[1]}/")
        over.set()
        thread.join()


async def test_nobody_there_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(FAILURES):
        await fetch(f"http://127.0.0.1:{port}/")


async def test_unknown_keys_ask_again_but_not_all_the_time(issuer: Issuer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(key_source, "RETRY_SECONDS", 0.5)
    sets: list[object] = []
    async with following(issuer.url, sets.append) as source:
        await awaited(lambda: len(sets) == 1)
        for _ in range(50):
            await source.learn()
        assert issuer.fetched == 1
        clock = asyncio.get_running_loop().time
        await awaited(lambda: clock() - source._tried > 0.5)
        await asyncio.gather(*(source.learn() for _ in range(50)))
        assert (issuer.fetched, len(sets)) == (2, 2)


async def test_a_failure_keeps_the_set_and_is_tried_again(issuer: Issuer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(key_source, "RETRY_SECONDS", 0.05)
    sets: list[object] = []
    issuer.status = 503
    async with following(issuer.url, sets.append):
        await awaited(lambda: issuer.fetched > 2)
        assert sets == []
        issuer.body = b"{}"
        issuer.status = 200
        seen = issuer.fetched
        await awaited(lambda: issuer.fetched > seen + 1)
        assert sets == []
        issuer.publish()
        await awaited(lambda: len(sets) == 1)
        assert set(sets[0]) == {"out-RS256", "out-ES256", "out-EdDSA"}
