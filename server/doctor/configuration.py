"""Settings that are allowed, and better not left so; pure."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from server.doctor.finding import Finding, ok, weak, wrong
from server.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LONG_TOKEN_SECONDS = 86_400
FEWEST_BYTES = 12
"""Different bytes in 32 of chance: fewer come up once in 10^19 keys."""
MANY_LOGINS = 60
"""Guesses a minute at one account."""
FEW_TRIES = 100
"""20 ms of a core."""
ENCRYPTED = ("require", "verify-ca", "verify-full")


def examine(settings: Settings) -> Iterator[Finding]:
    """What the settings alone show."""
    found = [*_keys(settings), *_reach(settings), *_servers(settings)]
    yield from found or [ok("settings", "nothing weak")]


def _keys(settings: Settings) -> Iterator[Finding]:
    purposes: dict[bytes, str] = {}
    lists = {
        "LAUREL_TICKET_KEYS": [(key.kid, key.secret) for key in settings.ticket_keys],
        "LAUREL_AUDIT_KEYS": [(key.kid, key.secret) for key in settings.audit_keys],
        "LAUREL_JWT_KEYS": [(key.kid, key.key) for key in settings.jwt_keys],
    }
    for name, keys in lists.items():
        if not keys:
            yield wrong("settings", f"{name} is not set")
        for kid, secret in keys:
            if len(set(secret)) < FEWEST_BYTES:
                yield wrong("settings", f"{name}: the key {kid} is not of chance")
            if (other := purposes.setdefault(secret, name)) != name:
                yield wrong("settings", f"{name}: the key {kid} is also one of {other}")
    if not settings.receipt_keys:
        yield weak("settings", "LAUREL_RECEIPT_KEYS is not set: players get no receipts")
    if settings.access_ttl_seconds > LONG_TOKEN_SECONDS:
        yield weak("settings", f"access tokens live {settings.access_ttl_seconds} s: a stolen one is good for so long")


def _reach(settings: Settings) -> Iterator[Finding]:
    if settings.load_test:
        yield weak("settings", "LAUREL_LOAD_TEST is on: limits are lifted, and tickets can be minted")
    logins = settings.rate_limit_login[0]
    if (guesses := logins.count * 60 // logins.seconds) > MANY_LOGINS:
        yield weak("settings", f"LAUREL_RATE_LIMIT_LOGIN lets {guesses:,} passwords a minute be tried on an account")
    if settings.proof_tries < FEW_TRIES:
        yield weak("settings", f"LAUREL_PROOF_TRIES is {settings.proof_tries}: a proof of work is no work")
    if settings.host in LOOPBACK:
        return
    if not settings.origins:
        yield weak("settings", "LAUREL_ORIGINS is not set: only pages that Laurel itself serves are let in")
    if not settings.trusted_proxies:
        yield weak("settings", f"pods listen on {settings.host} and trust no proxy: without one there is no TLS")


def _servers(settings: Settings) -> Iterator[Finding]:
    if settings.database_url and (address := urlsplit(settings.database_url)).hostname not in LOOPBACK:
        if not address.password:
            yield weak("settings", "LAUREL_DATABASE_URL has no password")
        if parse_qs(address.query).get("sslmode", ["prefer"])[0] not in ENCRYPTED:
            yield weak("settings", "LAUREL_DATABASE_URL does not demand TLS: sslmode=verify-full")
    if settings.redis_url and (address := urlsplit(settings.redis_url)).hostname not in LOOPBACK:
        if not address.password:
            yield weak("settings", "LAUREL_REDIS_URL has no password")
        if address.scheme != "rediss":
            yield weak("settings", "LAUREL_REDIS_URL is not encrypted: rediss://")
