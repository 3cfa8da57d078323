"""Two pods with a key of every algorithm and an outside issuer."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from server.keys import JWT_ALGORITHMS, JwtKey, format_jwt_keys, generate_jwt_key
from tests.laurel_process import LaurelProcess
from tests.server.identity.issuer import NAME, Issuer


@dataclass(frozen=True)
class Realm:
    """What verifies here: pods, their own keys by algorithm, an outside issuer."""

    laurel: LaurelProcess
    keys: dict[str, JwtKey]
    issuer: Issuer


@pytest.fixture(scope="session")
def realm() -> Iterator[Realm]:
    keys = {algorithm: generate_jwt_key(algorithm) for algorithm in reversed(JWT_ALGORITHMS)}
    with Issuer() as issuer, LaurelProcess() as laurel:
        environ = {
            "LAUREL_JWT_KEYS": format_jwt_keys(keys.values()),
            "LAUREL_JWKS_URL": issuer.url,
            "LAUREL_JWKS_ISSUER": NAME,
            "LAUREL_JWKS_REFRESH_SECONDS": "1",
        }
        yield Realm(laurel.start(pods=2, env=environ), keys, issuer)
