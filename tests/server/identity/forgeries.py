"""Tokens that must not pass: the attack tables of RFC 8725 and of PyJWT's CVEs, and mutations of good tokens.

CVE-2022-29217, 2026-48526, -102268, -102271, -102272, -102273   a public key taken for an HMAC secret, whatever form it
                     is written in: PEM with other white space, DER, SSH, a JWK, a set of them
CVE-2024-53861       `iss` compared by parts: a prefix of the issuer
CVE-2026-32597       `crit` that nobody understands
CVE-2026-48523       an `alg` in the header that is not the key's
CVE-2026-48525       `b64: false` and a payload apart
CVE-2026-102265, -101918   headers and payloads nested deeper than a parser goes
CVE-2026-102266      empty secrets
CVE-2026-102269      junk and slack in base64

Those of PyJWT's fetching and reading of key sets (2026-48522, -48524, -101917, -102267, -102274, -102275), which is not
used here, are cases in `test_key_source.py` and `test_keys.py`, with short and mistaken secrets (2025-45768, -102270).
Options that a call changes (2026-103001) are made anew for each.
RFC 8725 3.1–3.12   alg none or chosen by the token, keys brought along, crit, missing and mistyped claims, other `typ`
"""

import base64
import hmac
import json
import random
import time
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.keys import HMAC, JwtKey, generate_jwt_key
from server.pems import PublicKey, public_of
from server.verifying import signing
from tests.caller import claims_of, minted, segment
from tests.server.identity.issuer import Issuer, encoded, public_jwk

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
NOW = int(time.time())

Forgery = tuple[str, str]


def sealed(header: object, claims: object, secret: bytes, name: str = "HS256") -> str:
    """An HMAC over whatever the two parts are."""
    text = f"{segment(header)}.{segment(claims)}"
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), HASHES[name]))}"


def public_forms(key: PublicKey) -> Iterator[bytes]:
    """Everything that a public key can be written as, and so be taken for a secret."""
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield from (pem, pem.rstrip(), pem.replace(b"\n", b"\r\n"), pem.replace(b"\n", b""), pem.replace(b"\n", b"\r"))
    yield from (b"\n" + pem, b" \t" + pem, pem.replace(b"\n", b"\n\n"), pem.replace(b"\n", b" \n"), pem + b"\0")
    yield key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    yield base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    yield key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


def confused(kid: str, algorithm: str, key: PublicKey, claims: Mapping[str, Any]) -> Iterator[Forgery]:
    """HMACs keyed with what everybody knows of an asymmetric key."""
    jwk = public_jwk(kid, algorithm, _Shown(key))
    written_jwk = [jwk, [jwk], {"keys": [jwk]}, {"key": jwk}]
    secrets = [*public_forms(key), *(json.dumps(one).encode() for one in written_jwk)]
    secrets += [json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode(), b"", b"\0", kid.encode(), b"secret"]
    for number, secret in enumerate(secrets):
        for name in HASHES:
            for written in (name, algorithm, name.lower(), f" {name}"):
                header = {"alg": written, "kid": kid, "typ": "at+jwt"}
                yield (
                    f"{algorithm} public form {number} as {name} secret, alg {written!r}",
                    sealed(header, claims, secret, name),
                )


class _Shown:
    """A public key where a private one is expected to show its public half."""

    def __init__(self, key: PublicKey) -> None:
        self._key = key

    def public_key(self) -> PublicKey:
        return self._key


def unsigned(kid: str, claims: Mapping[str, Any]) -> Iterator[Forgery]:
    """`alg: none` in every spelling, with and without a signature."""
    for word in ("none", "None", "NONE", "nOnE", "none ", "", "null", None, False, 0, [], ["none"], {}, ["HS256"]):
        for seal in ("", "AA", encoded(bytes(32)), encoded(bytes(64))):
            header = {"alg": word, "kid": kid, "typ": "at+jwt"}
            yield f"alg {word!r} with {len(seal)}", f"{segment(header)}.{segment(claims)}.{seal}"


def foreign_keys(kid: str, algorithm: str, claims: Mapping[str, Any]) -> Iterator[Forgery]:
    """Signed rightly with the attacker's own key, which the token brings along."""
    own = generate_jwt_key(algorithm)
    key = signing(own)
    brought: list[dict[str, Any]] = [{}, {"jku": "http://127.0.0.1:1/keys.json"}, {"x5u": "https://evil.example/c.pem"}]
    if algorithm != HMAC:
        brought += [{"jwk": public_jwk(kid, algorithm, key)}, {"x5c": ["MIIB"]}]
    else:
        brought += [{"jwk": {"kty": "oct", "kid": kid, "k": encoded(own.key)}}]
    for headers in brought:
        for name in (kid, own.kid):
            yield (
                f"{algorithm} brings {sorted(headers)} as {name}",
                jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": name, "typ": "at+jwt", **headers}),
            )


KIDS: list[Any] = [
    "",
    " ",
    "\0",
    "../../../dev/null",
    "/dev/null",
    "$(id)",
    "| whoami",
    "%00",
    "é",
    "x" * 300,
    "__proto__",
]
KIDS += ["' OR 1=1 --", "k1' UNION SELECT 'x", "http://127.0.0.1/", "file:///etc/passwd", None, 0, True, [], {}, ["a"]]


def injected(key: JwtKey, claims: Mapping[str, Any]) -> Iterator[Forgery]:
    """Ids of keys that are paths, statements, commands; signed with what they might lead to."""
    for kid in [*KIDS, key.kid.upper() + " ", f"{key.kid}\0", f"{key.kid}\n", f" {key.kid}"]:
        for secret in (key.key, b"", b"\0"):
            header = {"alg": "HS256", "kid": kid, "typ": "at+jwt"}
            yield f"kid {kid!r}", sealed(header, claims, secret)


def headed(key: JwtKey, user_id: str) -> Iterator[Forgery]:
    """The right key and claims under a header that must not pass."""
    heads: list[dict[str, Any]] = [
        {"typ": word} for word in ("JWT", "jwt", "", "at+jw", "at+jwt ", "dpop+jwt", "JOSE", 1, [], {}, True)
    ]
    heads += [{"crit": words} for words in ([], ["exp"], ["b64"], ["x"], "exp", 0, {}, None)]
    heads += [{"b64": flag} for flag in (True, False, 0, "x")]
    heads += [
        {"jku": "https://issuer.example/"},
        {"jwk": {}},
        {"x5u": ""},
        {"x5c": []},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
    ]
    for head in heads:
        header = {"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt"} | head
        yield f"header {head}", _signed(key, header, claims_of(user_id))
    for gone in ("alg", "kid", "typ"):
        header = {"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt"}
        del header[gone]
        yield f"no {gone}", _signed(key, header, claims_of(user_id))


SIBLINGS = {"HS256": ("HS384", "HS512"), "RS256": ("RS384", "RS512", "PS256", "PS384", "PS512")}
"""What else a key could do that has one algorithm here."""
ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "ES384", "ES256K", "EdDSA", "Ed25519")


def lying(key: JwtKey, user_id: str) -> Iterator[Forgery]:
    """The right signature under the name of another algorithm."""
    for name in (*ALGORITHMS, key.algorithm.lower(), f"{key.algorithm} ", f"{key.algorithm}\0", [key.algorithm]):
        if name != key.algorithm:
            header = {"alg": name, "kid": key.kid, "typ": "at+jwt"}
            yield f"{key.algorithm} calls itself {name!r}", _signed(key, header, claims_of(user_id))
    for name in SIBLINGS.get(key.algorithm, ()):
        text = f"{segment({'alg': name, 'kid': key.kid, 'typ': 'at+jwt'})}.{segment(claims_of(user_id))}"
        yield f"{key.algorithm} as {name}", f"{text}.{_seal(key, text, name)}"


def detached(key: JwtKey, user_id: str) -> Iterator[Forgery]:
    """A payload that is not encoded, or not there; what is signed is right by RFC 7797."""
    claims = json.dumps(claims_of(user_id))
    for crit in ({"crit": ["b64"]}, {"crit": ["b64", "exp"]}, {}):
        header = segment({"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt", "b64": False, **crit})
        seal = _seal(key, f"{header}.{claims}")
        for payload in ("", encoded(claims.encode()), "A" * 2_000):
            yield f"b64 false, {crit}, payload of {len(payload)}", f"{header}.{payload}.{seal}"


def nested(key: JwtKey, user_id: str) -> Iterator[Forgery]:
    """Headers and payloads nested as deep as 4 KiB allow, signed rightly."""
    header = segment({"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt"})
    claims = segment(claims_of(user_id))
    for opening, closing in (("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")):
        for depth in (90, 400, 2_400 // len(opening)):
            for whole in (opening * depth, opening * depth + "1" + closing * depth):
                part = encoded(whole[:2_400].encode())
                for text in (f"{part}.{claims}", f"{header}.{part}", f"{part}.{part}"):
                    if len(text) < 3_600:
                        yield f"{opening!r} {depth} deep", f"{text}.{_seal(key, text)}"


def _seal(key: JwtKey, text: str, algorithm: str = "") -> str:
    return encoded(jwt.get_algorithm_by_name(algorithm or key.algorithm).sign(text.encode(), signing(key)))


def _signed(key: JwtKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    text = f"{segment(header)}.{segment(claims)}"
    return f"{text}.{_seal(key, text)}"


WRONG: list[Any] = [
    None,
    "",
    " ",
    0,
    -1,
    True,
    [],
    {},
    ["laurel"],
    {"a": 1},
    "x" * 300,
    1e400,
    float("nan"),
    "\0",
    "ſ",
    10**400,
]
ISSUERS = [
    "laure",
    "laurel ",
    "Laurel",
    "l",
    "aure",
    "laurel/",
    "https://laurel",
    ["laurel", "x"],
    "https://issuer.example",
]


def claimed(key: JwtKey, user_id: str) -> Iterator[Forgery]:
    """The right key and header over claims that must not pass."""
    header = {"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt"}
    good = claims_of(user_id)
    for name in good:
        yield f"without {name}", _signed(key, header, {other: value for other, value in good.items() if other != name})
        for value in WRONG:
            if not _may_be(name, value):
                yield f"{name} is {str(value)[:20]!r}", _signed(key, header, good | {name: value})
    changed: list[dict[str, Any]] = [{"iss": value} for value in ISSUERS]
    changed += [{"aud": value} for value in ("laure", "laurel ", "LAUREL", ["other"], ["laurel", "other"])]
    changed += [
        {"exp": value} for value in (NOW - 1, NOW - 1e9, str(NOW + 600), f"{NOW + 600}.0", "0x7fffffff", 1e18, 10**30)
    ]
    changed += [{"nbf": value} for value in (NOW + 86_400, "0", [], 1e400)] + [
        {"iat": value} for value in (NOW + 86_400, "0", str(NOW))
    ]
    changed += [
        {"sub": value} for value in (user_id.upper(), f"{user_id} ", f"{{{user_id}}}", user_id.replace("-", ""), "root")
    ]
    changed += [{"sid": value} for value in ("", "x", 7, [], str(uuid4()).upper())]
    for change in changed:
        yield f"claims {change}", _signed(key, header, good | change)
    for whole in ([], "x", 7, None, [good]):
        yield f"claims are {type(whole).__name__}", _signed(key, header, whole)  # type: ignore[arg-type]


def _may_be(name: str, value: Any) -> bool:
    """Whether a strange value is allowed: any text is a token's id, and a token may be old."""
    return (name == "jti" and value in (" ", "\0", "ſ")) or (name == "iat" and value in (0, -1) and value is not True)


def spelled(token: str) -> Iterator[Forgery]:
    """The same bytes in another base64, another number of parts, other white space."""
    parts = token.split(".")
    for number, part in enumerate(parts):
        for more in ("=", "==", "===", "\n", " ", "\t", "!", "%3D", "\r\n", ".", "A", "AA", "\u200b", "\0"):
            for changed in (part + more, more + part, part[:5] + more + part[5:]):
                yield f"{more!r} in part {number}", ".".join([*parts[:number], changed, *parts[number + 1 :]])
        for at in range(1, 4):
            yield f"part {number} short by {at}", ".".join([*parts[:number], part[:-at], *parts[number + 1 :]])
        index = ALPHABET.index(part[-1])
        for other in range(64):
            if other != index:
                yield (
                    f"last of part {number} {other}",
                    ".".join([*parts[:number], part[:-1] + ALPHABET[other], *parts[number + 1 :]]),
                )
    standard = token.replace("-", "+").replace("_", "/")
    if standard != token:
        yield "the other alphabet", standard
    yield from (("reversed", token[::-1]), ("twice", token + token), ("upper case", token.upper()))
    for order in ((1, 0, 2), (2, 1, 0), (0, 2, 1), (0, 1), (1, 2), (0,), (0, 1, 2, 2), (0, 0, 2), (0, 1, 1)):
        yield f"parts {order}", ".".join(parts[number] for number in order)
    yield "as JSON", json.dumps({"protected": parts[0], "payload": parts[1], "signature": parts[2]})


def mutated(token: str, count: int, seed: int) -> Iterator[Forgery]:
    """Single characters changed, put in and left out, anywhere."""
    dice = random.Random(seed)
    for _ in range(count):
        at, character = dice.randrange(len(token)), dice.choice(ALPHABET + ".=+/~")
        changed = dice.choice(
            [
                token[:at] + character + token[at + 1 :],
                token[:at] + character + token[at:],
                token[:at] + token[at + 1 :],
            ]
        )
        if changed != token:
            yield f"mutation at {at}", changed


def forgeries(keys: Mapping[str, JwtKey], issuer: Issuer, user_id: str) -> Iterator[Forgery]:
    """All of them."""
    claims = claims_of(user_id, role="admin")
    for key in keys.values():
        yield from unsigned(key.kid, claims)
        yield from foreign_keys(key.kid, key.algorithm, claims)
        yield from headed(key, user_id)
        yield from lying(key, user_id)
        yield from detached(key, user_id)
        yield from nested(key, user_id)
        yield from mutated(minted(key, user_id), 120, 1)
        if key.algorithm != HMAC:
            yield from confused(key.kid, key.algorithm, public_of(key.key), claims)
    yield from claimed(keys[HMAC], user_id)
    yield from injected(keys[HMAC], claims)
    for algorithm in (HMAC, "ES256"):
        yield from spelled(minted(keys[algorithm], user_id))
    for name, key in issuer.keys.items():
        outside = {"iss": "https://issuer.example", **claims}
        yield from confused(name, name.removeprefix("out-"), key.public_key(), outside)
        yield from mutated(issuer.token(user_id, name), 60, 2)
    for one in keys.values():  # each key under the name of each other
        for other in keys.values():
            if one is not other:
                head = {"kid": other.kid}
                yield f"{one.algorithm} signs as {other.algorithm}", minted(one, user_id, head)
