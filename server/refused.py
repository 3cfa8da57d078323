"""Refusals in the API's description: which statuses a route says no with, and in which shapes."""

from collections.abc import Sequence

from server.documented import JSON, STATUS, Declared, Refusing
from server.errors import PROBLEM
from server.showcase import Document, header_references

PROBLEM_SCHEMA: Document = {
    "title": "Problem",
    "description": "An error (RFC 9457); `code` is the stable word. Facts such as `waitMs` stand beside these members.",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail", "code"],
}
PROBLEMS = Refusing(None, STATUS.__getitem__)
"""What nearly every route refuses with."""
OF_LIMITS = ("RateLimit-Policy", "RateLimit")
OF_STATUS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}

Said = tuple[Refusing, list[str]]
"""A shape and the codes that it is used for."""


def refused(declared: Declared, codes: Sequence[str], schemas: dict[int, Document]) -> Document:
    """What a route refuses with, by status."""
    found: dict[int, list[Said]] = {}
    for refusing in declared.refusing or (PROBLEMS,):
        by_status: dict[int, list[str]] = {}
        for code in codes:
            by_status.setdefault(refusing.status_of(code), []).append(code)
        for status, said in by_status.items():
            found.setdefault(status, []).append((refusing, said))
    return {str(status): _answer(status, found[status], declared, schemas) for status in sorted(found)}


def _answer(status: int, said: list[Said], declared: Declared, schemas: dict[int, Document]) -> Document:
    codes = dict.fromkeys(code for _, some in said for code in some)
    words = " · ".join(f"`{code}`" for code in codes)
    if "rate_limited" in codes and declared.limits:
        words += f" (limit {', '.join(f'`{name}`' for name in declared.limits)})"
    shapes = [_schema(status, refusing, some, schemas) for refusing, some in said]
    shown: Document = {"schema": shapes[0] if len(shapes) == 1 else {"oneOf": shapes}}
    answer: Document = {"description": words, "content": {JSON if declared.refusing else PROBLEM: shown}}
    if status in OF_STATUS:
        limits = OF_LIMITS if "rate_limited" in codes and declared.limits else ()
        answer["headers"] = header_references((*OF_STATUS[status], *limits))
    return answer


def _schema(status: int, refusing: Refusing, codes: list[str], schemas: dict[int, Document]) -> Document:
    if refusing.shape is None:
        narrowed: Document = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
        return {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]}
    if refusing.named is None:
        return schemas[id(refusing.shape)]
    return {"allOf": [schemas[id(refusing.shape)], {"properties": {refusing.named: {"enum": codes}}}]}
