"""Asymmetric keys in settings, and sets of keys from outside: what is taken, what is not."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from server.jwks import MAX_BYTES, MAX_KEYS, JwksError, parse_jwks
from server.keys import (
    KeyFormatError,
    format_jwt_keys,
    generate_receipt_key,
    newest_signing,
    parse_jwt_keys,
    parse_receipt_keys,
)
from server.pems import generate_pem, private_of, public_of
from tests.server.identity.issuer import ALGORITHMS, public_jwk

SECRET = base64.urlsafe_b64encode(bytes(range(32))).decode()


def encoded(pem: bytes) -> str:
    return base64.urlsafe_b64encode(pem).decode().rstrip("=")


def private_pem(key: Any, password: bytes | None = None) -> bytes:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def public_pem(pem: bytes) -> bytes:
    return public_of(pem).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_private_keys_sign_and_public_ones_only_verify(algorithm: str):
    private, public = generate_pem(algorithm), public_pem(generate_pem(algorithm))
    text = f"a:{algorithm}:{encoded(private)},b:{algorithm}:{encoded(public)}"
    keys = parse_jwt_keys(text)
    assert [(key.kid, key.algorithm, key.signs) for key in keys] == [("a", algorithm, True), ("b", algorithm, False)]
    assert newest_signing(keys) is keys[0]
    assert parse_jwt_keys(format_jwt_keys(keys)) == keys
    assert public_of(keys[1].key) == public_of(public)
    assert encoded(private) not in repr(keys)
    with pytest.raises(KeyFormatError, match="none of the keys can sign"):
        parse_jwt_keys(f"b:{algorithm}:{encoded(public)}")


SMALL = rsa.generate_private_key(65537, 1024)
CASES: list[tuple[str, bytes, str]] = [
    ("RS256", private_pem(SMALL), "1024 bits"),
    ("RS256", generate_pem("ES256"), "is not a key for RS256"),
    ("ES256", generate_pem("RS256"), "is not a key for ES256"),
    ("ES256", private_pem(ec.generate_private_key(ec.SECP384R1())), "is not a key for ES256"),
    ("ES256", private_pem(ec.generate_private_key(ec.SECP256K1())), "is not a key for ES256"),
    ("EdDSA", generate_pem("ES256"), "is not a key for EdDSA"),
    ("EdDSA", private_pem(ed448.Ed448PrivateKey.generate()), "of a kind"),
    ("RS256", private_pem(dsa.generate_private_key(2048)), "of a kind"),
    ("ES256", private_pem(ec.generate_private_key(ec.SECP256R1()), b"hunter2"), "without a password"),
    ("ES256", b"x" * 200, "is not a key in PEM"),
    ("EdDSA", bytes(32), "is not a key in PEM"),
    ("HS256", generate_pem("ES256"), "is no secret for HS256"),
    ("HS256", public_pem(generate_pem("RS256")), "is no secret for HS256"),
    ("HS256", b" \n" + public_pem(generate_pem("RS256")).replace(b"\n", b"\r"), "is no secret for HS256"),
    ("HS256", SMALL.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), "is no secret for"),
    ("HS256", SMALL.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH), "is no secret for HS256"),
    ("HS256", json.dumps(public_jwk("a", "RS256", SMALL)).encode(), "is no secret for HS256"),
    ("HS256", json.dumps({"keys": [public_jwk("a", "RS256", SMALL)]}).encode(), "is no secret for HS256"),
]


@pytest.mark.parametrize(
    ("algorithm", "pem", "words"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_key_of_another_kind_is_refused_by_name(algorithm: str, pem: bytes, words: str):
    with pytest.raises(KeyFormatError, match=words) as caught:
        parse_jwt_keys(f"the-one:{algorithm}:{encoded(pem)}")
    assert "'the-one'" in str(caught.value)
    assert encoded(pem)[:40] not in str(caught.value)


def test_receipt_keys_are_seeds_of_32_bytes():
    key = generate_receipt_key()
    assert parse_receipt_keys(f"a:{encoded(key.seed)}")[0].seed == key.seed
    for seed in (bytes(31), bytes(33), generate_pem("EdDSA")):
        with pytest.raises(KeyFormatError, match="32"):
            parse_receipt_keys(f"a:{encoded(seed)}")


def rows() -> list[dict[str, Any]]:
    return [public_jwk(algorithm, algorithm, private_of(generate_pem(algorithm))) for algorithm in ALGORITHMS]


def kids(*found: Any, **more: Any) -> dict[str, str]:
    return {kid: key.algorithm for kid, key in parse_jwks(json.dumps({"keys": found, **more}).encode()).items()}


def test_one_key_has_one_algorithm_by_its_kind():
    assert kids(*rows(), extra=1) == {algorithm: algorithm for algorithm in ALGORITHMS}


def test_what_cannot_be_used_is_left_out():
    good, other, third = rows()
    private = json.loads(json.dumps(good)) | {"kid": "private", "d": "AQAB"}
    strange: list[Any] = [
        private,
        {"kty": "oct", "kid": "oct", "k": SECRET},
        good | {"kid": "encrypts", "use": "enc"},
        good | {"kid": "signs", "key_ops": ["sign"]},
        good | {"kid": "other-alg", "alg": "RS512"},
        good | {"kid": "hmac", "alg": "HS256"},
        {name: value for name, value in good.items() if name != "kid"},
        good | {"kid": ""},
        good | {"kid": 7},
        good | {"kid": "n", "n": "!"},
        good | {"kid": "e", "e": "AA"},
        public_jwk("weak", "RS256", SMALL),
        public_jwk("P-384", "ES256", ec.generate_private_key(ec.SECP384R1())),
        other | {"kid": "off-curve", "x": other["y"], "y": other["x"]},
        other | {"kid": "short", "x": other["x"][:-4]},
        third | {"kid": "no-crv", "crv": "X25519"},
        third | {"kid": "long", "x": third["x"] + "AAAA"},
        None,
        "x",
        [],
    ]
    for row in strange:
        assert kids(third, row) == {"EdDSA": "EdDSA"}, row
    with pytest.raises(JwksError, match="no key"):
        kids(*strange)


def test_a_name_that_stands_twice_names_nothing():
    good, other, third = rows()
    assert kids(good, other | {"kid": good["kid"]}, third) == {"EdDSA": "EdDSA"}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"null", b'{"keys":{}}', b'{"keys":[]}', b"\xff", b"[" * 50_000, b" " * (MAX_BYTES + 1)],
    ids=lambda body: str(body[:12]),
)
def test_what_is_no_set_is_an_error(body: bytes):
    with pytest.raises(JwksError):
        parse_jwks(body)


def test_a_set_is_bounded():
    (good, *_) = rows()
    with pytest.raises(JwksError):
        kids(*[good | {"kid": str(number)} for number in range(MAX_KEYS + 1)])
