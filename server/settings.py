"""The settings in force: one frozen object, made once."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from server.keys import HmacKey, JwtKey, KeyFormatError, parse_hmac_keys, parse_jwt_keys

PREFIX = "LAUREL_"
DEFAULT_DATA = Path(".laurel")
HIDDEN = "***"
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
    jwt_issuer: str = _setting(_text, "`iss` of access tokens", default="laurel")
    jwt_audience: str = _setting(_text, "`aud` of access tokens", default="laurel")
    access_ttl_seconds: int = _setting(_whole(1, 31_536_000), "life of an access token", default=3600)
    checkpoint_file: Path | None = _setting(  # noqa: RUF009 - a dataclass field like the others
        _file,
        "file of signed checkpoints, its time put before the suffix; default: checkpoints/ in the data folder",
        default=None,
    )
    origins: tuple[str, ...] = _setting(
        _origins, "origins of browsers let in, separated by commas; none: the server's own", default=()
    )
    trusted_proxies: int = _setting(_whole(0, 16), "proxies in front whose X-Forwarded-For is believed", default=0)
    cache_ttl_seconds: int = _setting(_whole(0, 86_400), "how long a board that was read is kept", default=2)
    log_level: str = _setting(_one_of(*LOG_LEVELS), f"least level logged: {', '.join(LOG_LEVELS)}", default="info")
    log_format: str = _setting(
        _one_of(*LOG_FORMATS), "console, json, or auto: console on a terminal, else json", default="auto"
    )
    load_test: bool = _setting(_flag, "lifts per-address limits and allows `laurel ticket mint`", default=False)
    mailbox_size: int = _setting(_whole(1, 1_000_000), "requests that may wait for one user", default=64)
    actor_idle_seconds: int = _setting(_whole(1, 86_400), "an idle user's state leaves memory after this", default=300)
    viewer_buffer_bytes: int = _setting(
        _whole(1024, 1 << 30), "unsent bytes at which a viewer gets only the newest state", default=65_536
    )
    viewer_stall_seconds: int = _setting(_whole(1, 3600), "a viewer stalled this long is cut off", default=10)
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
    if isinstance(value, HmacKey | JwtKey):
        return f"{value.kid}:{HIDDEN}"
    return str(value) if isinstance(value, Path) else value


def _default_text(default: Any) -> str:
    if default is None or default == ():
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)
