"""The settings in force: one frozen object, made once."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from models.ids import is_slug
from server.keys import (
    HmacKey,
    JwtKey,
    KeyFormatError,
    ReceiptKey,
    parse_hmac_keys,
    parse_jwt_keys,
    parse_receipt_keys,
)
from server.rates import Rate, parse_two_counts, parse_two_rates

PREFIX = "LAUREL_"
DEFAULT_DATA = Path(".laurel")
HIDDEN = "***"
MAX_REGION = 57
"""A board of a region is called `region-` and its name."""
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("auto", "console", "json")
# Passwords of the embedded servers: read from the data folder, not settings of a pod.
EMBEDDED_NAMES = frozenset({"LAUREL_EMBEDDED_POSTGRES_PASSWORD", "LAUREL_EMBEDDED_REDIS_PASSWORD"})


class SettingsError(Exception):
    """A `LAUREL_*` variable is unknown, invalid or missing."""


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        address = urlsplit(_text(value))
        if address.scheme not in schemes:
            raise ValueError(f"must be an address starting with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        if not address.hostname:
            raise ValueError("names no host")
        _ = address.port  # raises ValueError when it is no port
        return urlunsplit(address)

    return parse


def _key_set(value: str) -> str:
    """An address of keys: https, a file, or http where nobody can listen in."""
    address = urlsplit(_text(value))
    if address.scheme in ("", "file"):
        if not address.path or address.netloc or address.query or address.fragment:
            raise ValueError("must be the path of a file, or file:///path")
        return _text(value)
    if address.scheme not in ("https", "http"):
        raise ValueError("must be https://…, a file, or http://… on loopback")
    if not address.hostname or address.username is not None:
        raise ValueError("must name a host, and no user")
    _ = address.port
    if address.scheme == "http" and not _is_loopback(address.hostname):
        raise ValueError("must be https: http is for loopback only")
    return urlunsplit(address)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return parse


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    return parse


def _slug(value: str) -> str:
    if not is_slug(value):
        raise ValueError("must be an action id of [a-z0-9-]{1,64}")
    return value


def _flag(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value == "true"


def _folder(value: str) -> Path:
    return Path(_text(value))


def _file(value: str) -> Path:
    if value.endswith("/") or not Path(_text(value)).name:
        raise ValueError("must name a file")
    return Path(value.strip())


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(item.strip() for item in value.split(",") if item.strip())
    for origin in origins:
        address = urlsplit(origin)
        if (
            address.scheme not in ("http", "https")
            or not address.netloc
            or origin != f"{address.scheme}://{address.netloc}"
        ):
            raise ValueError(f"{origin!r} is not of the form https://host or https://host:port")
    return origins


def _regions(value: str) -> tuple[str, ...]:
    regions = tuple(dict.fromkeys(item.strip() for item in value.split(",") if item.strip()))
    for region in regions:
        if not is_slug(region) or len(region) > MAX_REGION:
            raise ValueError(f"{region!r} is not of 1 to {MAX_REGION} of a-z, 0-9 and -")
    return regions


def _setting(parse: Callable[[str], Any], help_text: str, *, default: Any = MISSING, secret: bool = False) -> Any:
    metadata = {"parse": parse, "help": help_text, "secret": secret}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field a variable: `database_url` is `LAUREL_DATABASE_URL`."""

    database_url: str | None = _setting(
        _url("postgresql", "postgres"), "PostgreSQL to use; without it one is embedded", default=None, secret=True
    )
    redis_url: str | None = _setting(
        _url("redis", "rediss"), "Redis to use; without it one is embedded", default=None, secret=True
    )
    host: str = _setting(_text, "address to listen on", default="127.0.0.1")
    port: int = _setting(_whole(1, 65535), "port to listen on; more pods take the following ones", default=8000)
    data: Path = _setting(  # noqa: RUF009 - a dataclass field like the others
        _folder, "folder of the embedded servers, secrets and logs", default=DEFAULT_DATA
    )
    ticket_keys: tuple[HmacKey, ...] = _setting(
        parse_hmac_keys, "keys that sign tickets: kid:base64url,… newest last", default=(), secret=True
    )
    audit_keys: tuple[HmacKey, ...] = _setting(
        parse_hmac_keys, "keys of the ledger's hash chain: kid:base64url,… newest last", default=(), secret=True
    )
    jwt_keys: tuple[JwtKey, ...] = _setting(
        parse_jwt_keys, "keys of access tokens: kid:alg:base64url,… newest last", default=(), secret=True
    )
    receipt_keys: tuple[ReceiptKey, ...] = _setting(
        parse_receipt_keys, "Ed25519 seeds that sign receipts: kid:base64url,… newest last", default=(), secret=True
    )
    jwt_issuer: str = _setting(_text, "`iss` of access tokens", default="laurel")
    jwt_audience: str = _setting(_text, "`aud` of access tokens", default="laurel")
    jwks_url: str | None = _setting(
        _key_set, "keys of an outside issuer: https, a file, or http on loopback", default=None
    )
    jwks_issuer: str | None = _setting(
        _text, "`iss` of the outside issuer's tokens; without it that of access tokens", default=None
    )
    jwks_refresh_seconds: int = _setting(_whole(1, 86_400), "how often the outside issuer's keys are read", default=300)
    regions: tuple[str, ...] = _setting(
        _regions, "regions with a board of their own, `region-<name>`, separated by commas", default=()
    )
    access_ttl_seconds: int = _setting(_whole(1, 31_536_000), "life of an access token", default=3600)
    refresh_ttl_seconds: int = _setting(
        _whole(1, 31_536_000), "life of a refresh token, and of a session that is not used", default=2_592_000
    )
    checkpoint_file: Path | None = _setting(  # noqa: RUF009 - a dataclass field like the others
        _file,
        "file of signed checkpoints, its time put before the suffix; default: checkpoints/ in the data folder",
        default=None,
    )
    origins: tuple[str, ...] = _setting(
        _origins, "origins of browsers let in, separated by commas; none: the server's own", default=()
    )
    trusted_proxies: int = _setting(_whole(0, 16), "proxies in front whose X-Forwarded-For is believed", default=0)
    rate_limit_tickets: Rate = _setting(Rate.parse, "tickets a user may ask for", default=Rate(60, "minute"))  # noqa: RUF009
    rate_limit_redeem: Rate = _setting(Rate.parse, "redemptions of a user", default=Rate(120, "minute"))  # noqa: RUF009
    rate_limit_reads: Rate = _setting(Rate.parse, "reads of an address", default=Rate(600, "minute"))  # noqa: RUF009
    rate_limit_awards: Rate = _setting(  # noqa: RUF009
        Rate.parse, "awards of a client, whichever of its keys it shows", default=Rate(600, "minute")
    )
    rate_limit_login: tuple[Rate, Rate] = _setting(
        parse_two_rates,
        "log-ins of an account, then of an address; one rate alone stands for both",
        default=(Rate(10, "minute"), Rate(30, "minute")),
    )
    rate_limit_sockets: tuple[int, int] = _setting(
        parse_two_counts,
        "live connections at once of a user, then of an address; one number alone stands for both",
        default=(5, 20),
    )
    cache_ttl_seconds: int = _setting(
        _whole(0, 86_400), "how long a board that PostgreSQL was asked for, Redis being away, is kept", default=2
    )
    c_default_action: str | None = _setting(
        _slug, "instant action that ids of dialect C's clients count for; none: refused", default=None
    )
    log_level: str = _setting(_one_of(*LOG_LEVELS), f"least level logged: {', '.join(LOG_LEVELS)}", default="info")
    log_format: str = _setting(
        _one_of(*LOG_FORMATS), "console, json, or auto: console on a terminal, else json", default="auto"
    )
    access_log_every: int = _setting(
        _whole(0, 1_000_000), "one request in so many becomes a log line, besides every 5xx; 0: none", default=1_000
    )
    slow_statement_ms: int = _setting(_whole(1, 60_000), "a statement slower than this becomes a log line", default=250)
    load_test: bool = _setting(_flag, "lifts all limits and allows `laurel ticket mint`", default=False)
    mailbox_size: int = _setting(_whole(1, 1_000_000), "requests that may wait for one user", default=64)
    actor_idle_seconds: int = _setting(_whole(1, 86_400), "an idle user's state leaves memory after this", default=300)
    viewer_buffer_bytes: int = _setting(
        _whole(1024, 1 << 30), "unsent bytes at which a viewer gets only the newest state", default=65_536
    )
    viewer_stall_seconds: int = _setting(_whole(1, 3600), "a viewer stalled this long is cut off", default=10)
    request_seconds: int = _setting(
        _whole(1, 3600), "a request that has not arrived whole after this is refused", default=15
    )
    proof_tries: int = _setting(
        _whole(1, 1_000_000), "work of a proof: tries of about 0.2 ms, on average", default=1_000
    )
    proof_ttl_seconds: int = _setting(_whole(1, 86_400), "life of a proof's challenge", default=600)
    proof_user_per_minute: int = _setting(
        _whole(1, 1_000_000), "tickets a player gets before `adaptive` actions ask for a proof", default=20
    )
    proof_address_per_minute: int = _setting(
        _whole(1, 1_000_000), "tickets an address gets before `adaptive` actions ask for a proof", default=120
    )
    body_limit_bytes: int = _setting(_whole(1024, 1 << 30), "largest request body", default=16_384)
    grace_seconds: int = _setting(_whole(1, 3600), "time for a pod to finish when told to stop", default=15)

    @classmethod
    def from_mapping(cls, environ: Mapping[str, str]) -> Self:
        """Reads every `LAUREL_*` name; an empty value counts as unset."""
        known = {env_name(f): f for f in fields(cls)}
        values: dict[str, Any] = {}
        for name in sorted(environ):
            if not name.startswith(PREFIX) or name in EMBEDDED_NAMES:
                continue
            if name not in known:
                raise SettingsError(f"{name} is not a setting of Laurel")
            if environ[name]:
                values[known[name].name] = _parse(name, known[name], environ[name])
        return cls(**values)

    def require_secrets(self) -> None:
        """Raises SettingsError unless every list of keys has one."""
        self._require("ticket_keys", "audit_keys", "jwt_keys")

    def require_servers(self) -> None:
        """Raises SettingsError unless PostgreSQL and Redis are named."""
        self._require("database_url", "redis_url")

    @property
    def checkpoint_name(self) -> Path:
        """What the names of checkpoints are made from."""
        return self.checkpoint_file or self.data / "checkpoints" / "laurel.checkpoint"

    def redacted(self) -> dict[str, Any]:
        """Every setting by environment name, without secrets, JSON-ready."""
        return {env_name(f): _shown(getattr(self, f.name)) for f in fields(self)}

    def _require(self, *names: str) -> None:
        missing = [PREFIX + name.upper() for name in names if not getattr(self, name)]
        if missing:
            raise SettingsError(f"{' and '.join(missing)} must be set")


def env_name(setting: Field[Any]) -> str:
    return PREFIX + setting.name.upper()


def unhidden(environ: Mapping[str, str]) -> dict[str, str]:
    """What is set and no secret, by environment name."""
    names = [env_name(f) for f in fields(Settings) if not f.metadata["secret"]]
    return {name: environ[name] for name in names if environ.get(name)}


def describe() -> list[tuple[str, str, str]]:
    """Environment name, default and help of every setting."""
    return [(env_name(f), _default_text(f.default), f.metadata["help"]) for f in fields(Settings)]


def hide_password(url: str) -> str:
    """The address with its password, also in the query, hidden."""
    address = urlsplit(url)
    user, at, host = address.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    query = "&".join(
        f"{part.partition('=')[0]}={HIDDEN}" if "password" in part.lower() else part
        for part in address.query.split("&")
    )
    return urlunsplit(address._replace(netloc=f"{name}{colon}{HIDDEN if colon else ''}{at}{host}", query=query))


def _parse(name: str, setting: Field[Any], value: str) -> Any:
    try:
        return setting.metadata["parse"](value)
    except KeyFormatError as error:
        raise SettingsError(f"{name}: {error}") from error
    except ValueError as error:
        shown = "" if setting.metadata["secret"] else f", not {value!r}"
        raise SettingsError(f"{name}: {error}{shown}") from error


def _shown(value: Any) -> Any:
    if isinstance(value, str) and "://" in value:
        return hide_password(value)
    if isinstance(value, tuple):
        return [_shown(item) for item in value]
    if isinstance(value, HmacKey | JwtKey | ReceiptKey):
        return f"{value.kid}:{HIDDEN}"
    return str(value) if isinstance(value, Path | Rate) else value


def _default_text(default: Any) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, tuple):
        return ",".join(str(item) for item in default)
    return str(default).lower() if isinstance(default, bool) else str(default)
