"""An outside issuer on loopback: keys, tokens, and a key set that can fail in many ways."""

import base64
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from uuid import uuid4

import jwt
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from server.pems import PrivateKey, generate_pem, private_of

NAME = "https://issuer.example"
AUDIENCE = "laurel"
ALGORITHMS = ("RS256", "ES256", "EdDSA")
_CODECS = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


def public_jwk(kid: str, algorithm: str, key: PrivateKey, **more: Any) -> dict[str, Any]:
    """The public half of a key as a member of a set."""
    return json.loads(_CODECS[algorithm].to_jwk(key.public_key())) | {"kid": kid, "use": "sig"} | more


def outside_claims(subject: str, **changed: Any) -> dict[str, Any]:
    """What a token of the outside issuer says; a changed value of None leaves the claim out."""
    now = int(time.time())
    claims = {"iss": NAME, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 600, "jti": str(uuid4())}
    return {name: value for name, value in (claims | changed).items() if value is not None}


class Issuer:
    """Serves `body` as its key set; a context manager."""

    def __init__(self) -> None:
        self.keys = {f"out-{algorithm}": private_of(generate_pem(algorithm)) for algorithm in ALGORITHMS}
        self.fetched = 0
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b""
        self.publish()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.fetched += 1
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *arguments: object) -> None:
                del arguments

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys.json"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def rows(self) -> list[dict[str, Any]]:
        """The set's members."""
        return [public_jwk(kid, kid.removeprefix("out-")[:5].rstrip("-"), key) for kid, key in self.keys.items()]

    def publish(self, *more: Mapping[str, Any]) -> None:
        """Serves the keys of now."""
        self.status, self.headers = 200, {}
        self.body = json.dumps({"keys": [*self.rows(), *more]}).encode()

    def add(self, algorithm: str, name: str) -> str:
        """One more key, published; its id."""
        kid = f"out-{algorithm}-{name}"
        self.keys[kid] = private_of(generate_pem(algorithm))
        self.publish()
        return kid

    def token(
        self, subject: str, kid: str = "out-RS256", headers: Mapping[str, Any] | None = None, **changed: Any
    ) -> str:
        """A token, right but for what is changed."""
        shown = {"kid": kid, "typ": "at+jwt"} | dict(headers or {})
        algorithm = kid.removeprefix("out-")[:5].rstrip("-")
        return jwt.encode(outside_claims(subject, **changed), self.keys[kid], algorithm=algorithm, headers=shown)


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
