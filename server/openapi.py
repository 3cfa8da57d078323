"""The API's description (OpenAPI 3.1), made from the routes' declarations and the shapes of the wire."""

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from sanic import Sanic

from server.documented import JSON, Declared, declared_of
from server.refused import OF_LIMITS, PROBLEM_SCHEMA, refused
from server.showcase import content, header_references

Document = dict[str, Any]

REFERENCE = "#/components/schemas/{name}"
PLACEHOLDER = re.compile(r"<(\w+)(?::[^>]*)?>")
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "player": [{"accessToken": []}],
    "admin": [{"accessToken": []}],
    "anyone": [{}, {"accessToken": []}],
    "server": [{"apiKey": []}],
    "none": [],
}
# As a newcomer meets them; what is not named comes last.
READING_ORDER = (
    *(
        "accounts",
        "actions",
        "challenges",
        "tickets",
        "receipts",
        "boards",
        "subsets",
        "live",
        "events",
        "me",
        "export",
    ),
    *("friends", "groups", "awards", "dialects", "probes", "admin-users", "admin-scores", "admin-ledger"),
    *("admin-actions", "admin-boards", "admin-groups", "api-keys"),
)
HEADERS: Document = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "The challenge of RFC 6750.", "schema": {"type": "string"}},
    "RateLimit": {
        "description": "What is left of each limit, and how many seconds its window still has.",
        "schema": {"type": "string"},
        "example": '"redeem";r=117;t=42',
    },
    "RateLimit-Policy": {
        "description": "The limits that were asked: quota and window in seconds. Absent where limits are lifted.",
        "schema": {"type": "string"},
        "example": '"redeem";q=120;w=60',
    },
    "ETag": {"description": "Names the content: send it as If-None-Match.", "schema": {"type": "string"}},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A documented route: one method of one path."""

    path: str
    method: str
    name: str
    handler: Any
    declared: Declared

    @property
    def tag(self) -> str:
        """The blueprint's name."""
        return self.name.partition(".")[0]


def operations(app: Sanic[Any, Any]) -> list[Operation]:
    """Every documented route of an app, by path and method."""
    return sorted(_operations(app), key=lambda found: (found.path, found.method))


def _operations(app: Sanic[Any, Any]) -> Iterator[Operation]:
    for route in app.router.routes:
        declared = declared_of(route.handler)
        if declared is not None:
            path = "/" + PLACEHOLDER.sub(lambda found: "{" + _camel(found[1]) + "}", route.path.lstrip("/"))
            for method in route.methods or ():
                yield Operation(path, method.lower(), route.name.partition(".")[2], route.handler, declared)


def document(app: Sanic[Any, Any]) -> Document:
    """The whole description."""
    found = operations(app)
    schemas, components = _schemas(found)
    paths: Document = {}
    for operation in found:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Laurel",
            "version": version("laurel"),
            "description": "A live scoreboard server. Scores move by tickets, exactly once.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in _in_reading_order({operation.tag for operation in found})],
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM_SCHEMA, **components},
            "headers": HEADERS,
            "securitySchemes": {
                "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _in_reading_order(tags: Iterable[str]) -> list[str]:
    places = {tag: place for place, tag in enumerate(READING_ORDER)}
    return sorted(tags, key=lambda tag: (places.get(tag, len(places)), tag))


def _schemas(found: Iterable[Operation]) -> tuple[dict[int, Document], Document]:
    """The schema of every declared shape by the shape's identity, and the named ones that they refer to."""
    shapes: dict[int, Any] = {}
    for operation in found:
        for shape in operation.declared.shapes():
            shapes[id(shape)] = shape
    schemas, components = msgspec.json.schema_components(list(shapes.values()), ref_template=REFERENCE)
    return dict(zip(shapes, schemas, strict=True)), components


def _described(operation: Operation, schemas: dict[int, Document]) -> Document:
    declared = operation.declared
    summary, _, rest = (inspect.getdoc(operation.handler) or operation.name).partition("\n")
    described: Document = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": summary.rstrip("."),
        "security": SECURITY[declared.caller],
        "responses": _responses(declared, schemas, in_path="{" in operation.path),
    }
    if declared.caller == "admin":
        rest = f"For administrators. {rest.strip()}"
    if rest.strip():
        described["description"] = rest.strip()
    if parameters := [*_in_path(operation.path), *_parameters(declared, schemas)]:
        described["parameters"] = parameters
    if declared.body is not None:
        described["requestBody"] = {"required": True, "content": {JSON: content(declared.body, schemas)}}
    return described


def _in_path(path: str) -> list[Document]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _parameters(declared: Declared, schemas: dict[int, Document]) -> Iterator[Document]:
    for parameter in declared.parameters:
        shown: Document = {
            "name": parameter.name,
            "in": parameter.where,
            "required": parameter.required,
            "description": parameter.description,
            "schema": schemas[id(parameter.shape)],
        }
        if parameter.example is not None:
            shown["example"] = parameter.example
        yield shown


def _responses(declared: Declared, schemas: dict[int, Document], *, in_path: bool) -> Document:
    answers: Document = {}
    for status, words in {declared.status: HTTPStatus(declared.status).phrase, **declared.also}.items():
        good: Document = {"description": words}
        if declared.answer is not None and status != HTTPStatus.NOT_MODIFIED:
            good["content"] = {declared.media_type: content(declared.answer, schemas)}
        if headers := (*declared.headers, *(OF_LIMITS if declared.limits else ())):
            good["headers"] = header_references(headers)
        answers[str(status)] = good
    codes = declared.codes()
    if in_path and "not_found" not in codes:
        codes.append("not_found")
    return answers | refused(declared, codes, schemas)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
