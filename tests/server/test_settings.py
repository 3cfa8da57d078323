"""Every field, every branch of reading the environment."""

import base64
import dataclasses
from pathlib import Path

import pytest

from server.keys import (
    HmacKey,
    JwtKey,
    format_hmac_keys,
    format_jwt_keys,
    generate_hmac_key,
    generate_jwt_key,
    parse_hmac_keys,
    parse_jwt_keys,
)
from server.settings import Settings, SettingsError, describe

SECRET = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
SHORT = base64.urlsafe_b64encode(bytes(31)).decode()


def settings(**values: str) -> Settings:
    return Settings.from_mapping({f"LAUREL_{name.upper()}": value for name, value in values.items()})


def test_defaults_hold_without_environment():
    defaults = Settings.from_mapping({"PATH": "/bin"})
    assert (defaults.host, defaults.port, defaults.data) == ("127.0.0.1", 8000, Path(".laurel"))
    assert defaults.ticket_keys == defaults.jwt_keys == defaults.audit_keys == ()


def test_every_kind_of_value_is_read():
    read = settings(
        database_url="postgresql://a:b@db:5432/x",
        redis_url="rediss://cache/0",
        port="9000",
        load_test="true",
        origins="https://a.example, http://localhost:3000",
        log_format="json",
        ticket_keys=f"old:{SECRET},new:{SECRET}",
        jwt_keys=f"k:HS256:{SECRET}",
    )
    assert read.port == 9000
    assert read.load_test is True
    assert read.origins == ("https://a.example", "http://localhost:3000")
    assert [key.kid for key in read.ticket_keys] == ["old", "new"]
    assert read.jwt_keys == (JwtKey("k", "HS256", bytes(range(32))),)


def test_empty_value_counts_as_unset():
    assert settings(port="", database_url="").port == 8000


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "0", "whole number from 1 to 65535"),
        ("PORT", "65536", "whole number"),
        ("PORT", "8e3", "whole number"),
        ("PORT", "²", "whole number"),
        ("HOST", "  ", "must not be empty"),
        ("LOAD_TEST", "yes", "true or false"),
        ("LOG_LEVEL", "loud", "must be one of debug"),
        ("ORIGINS", "https://a.example/path", "is not of the form"),
        ("ORIGINS", "ftp://a.example", "is not of the form"),
        ("DATABASE_URL", "mysql://h/x", "starting with postgresql://"),
        ("DATABASE_URL", "postgresql:///x", "names no host"),
        ("REDIS_URL", "redis://h:port/0", "Port"),
        ("TICKET_KEYS", SECRET, "kid:base64url"),
        ("TICKET_KEYS", f"a b:{SECRET}", "key id is 1 to 64"),
        ("TICKET_KEYS", f"a:{SECRET}!", "not base64url"),
        ("TICKET_KEYS", f"a:{SHORT}", "31 bytes, at least 32"),
        ("AUDIT_KEYS", f"a:{SECRET},a:{SECRET}", "stands twice"),
        ("JWT_KEYS", f"a:{SECRET}", "kid:alg:base64url"),
        ("JWT_KEYS", f"a:none:{SECRET}", "algorithm must be one of HS256"),
        ("JWT_KEYS", f"a:RS256:{SECRET}", "is not a key in PEM"),
        ("RECEIPT_KEYS", f"a:{SHORT}", "31 bytes"),
        ("JWKS_URL", "http://issuer.example/keys.json", "http is for loopback only"),
        ("JWKS_URL", "http://127.0.0.1.example/keys.json", "http is for loopback only"),
        ("JWKS_URL", "http://[::ffff:10.0.0.1]/keys.json", "http is for loopback only"),
        ("JWKS_URL", "https://a:b@issuer.example/keys.json", "no user"),
        ("JWKS_URL", "https:///keys.json", "must name a host"),
        ("JWKS_URL", "ftp://issuer.example/keys.json", "must be https"),
        ("JWKS_URL", "data:application/json,{}", "must be https"),
        ("JWKS_URL", "file://server/keys.json", "path of a file"),
        ("JWKS_ISSUER", " ", "must not be empty"),
    ],
)
def test_invalid_value_is_one_clear_line(name: str, value: str, words: str):
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({f"LAUREL_{name}": value})
    line = str(caught.value)
    assert line.startswith(f"LAUREL_{name}: ")
    assert words in line
    assert "\n" not in line
    assert SECRET not in line


def test_invalid_address_is_not_repeated_with_its_password():
    with pytest.raises(SettingsError) as caught:
        settings(database_url="mysql://me:hunter2@h/x")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://issuer.example/keys?x=1",
        "http://localhost:9/k",
        "http://[::1]/k",
        "http://127.9.9.9/k",
        "/etc/k.json",
        "k.json",
    ],
)
def test_keys_may_come_from_https_a_file_or_loopback(address: str):
    assert settings(jwks_url=address).jwks_url == address
    assert settings(jwks_url="file:///a/k%20s.json").jwks_url == "file:///a/k%20s.json"


def test_unknown_name_stops_the_start():
    with pytest.raises(SettingsError, match="LAUREL_PROT is not a setting"):
        Settings.from_mapping({"LAUREL_PROT": "8000"})


def test_passwords_of_embedded_servers_are_no_settings():
    assert Settings.from_mapping({"LAUREL_EMBEDDED_REDIS_PASSWORD": "x"}) == Settings()


def test_secrets_and_servers_are_required_by_name():
    with pytest.raises(SettingsError, match="LAUREL_TICKET_KEYS and LAUREL_AUDIT_KEYS and LAUREL_JWT_KEYS must be set"):
        Settings().require_secrets()
    with pytest.raises(SettingsError, match="LAUREL_REDIS_URL must be set"):
        settings(database_url="postgres://h/x").require_servers()
    complete = settings(
        ticket_keys=f"a:{SECRET}",
        audit_keys=f"a:{SECRET}",
        jwt_keys=f"a:HS256:{SECRET}",
        database_url="postgres://h/x",
        redis_url="redis://h",
    )
    complete.require_secrets()
    complete.require_servers()


def test_secrets_show_neither_redacted_nor_in_repr():
    read = settings(
        database_url="postgresql://me:hunter2@h:1/x?sslpassword=hunter2&a=b",
        redis_url="redis://:hunter2@h",
        jwt_keys=f"k:HS256:{SECRET}",
        ticket_keys=f"k:{SECRET}",
        receipt_keys=f"k:{SECRET}",
        origins="https://a.example",
    )
    shown = read.redacted()
    assert shown["LAUREL_DATABASE_URL"] == "postgresql://me:***@h:1/x?sslpassword=***&a=b"
    assert shown["LAUREL_REDIS_URL"] == "redis://:***@h"
    assert shown["LAUREL_JWT_KEYS"] == shown["LAUREL_RECEIPT_KEYS"] == ["k:***"]
    assert shown["LAUREL_ORIGINS"] == ["https://a.example"]
    assert "hunter2" not in repr(read)
    assert repr(bytes(range(32))) not in repr(read.ticket_keys) + repr(read.jwt_keys)


def test_addresses_without_password_are_shown_whole():
    assert settings(redis_url="redis://me@h:1/0").redacted()["LAUREL_REDIS_URL"] == "redis://me@h:1/0"


def test_every_setting_is_described():
    rows = {name: (default, text) for name, default, text in describe()}
    assert len(rows) == len(dataclasses.fields(Settings))
    assert all(text for _, text in rows.values())
    assert rows["LAUREL_PORT"][0] == "8000"
    assert rows["LAUREL_LOAD_TEST"][0] == "false"
    assert rows["LAUREL_ORIGINS"][0] == ""


def test_keys_survive_being_written_and_read():
    hmac_keys = (generate_hmac_key(), HmacKey("b", b"x" * 33))
    jwt_keys = (generate_jwt_key(), generate_jwt_key())
    assert parse_hmac_keys(format_hmac_keys(hmac_keys)) == hmac_keys
    assert parse_jwt_keys(format_jwt_keys(jwt_keys)) == jwt_keys
