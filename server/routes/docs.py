"""The API's description, for programs and for people."""

from dataclasses import dataclass

import msgspec
from sanic import HTTPResponse, Request

from server import docs_page
from server.blueprints import Blueprint
from server.openapi import Document
from server.routes.page import HEADERS

blueprint = Blueprint("docs")


@dataclass(frozen=True, slots=True)
class Docs:
    """Both forms, made once."""

    document: bytes
    page: bytes

    @classmethod
    def of(cls, document: Document) -> "Docs":
        """Both forms of a description."""
        return cls(msgspec.json.encode(document), docs_page.page(document))


@blueprint.get("/openapi.json")
async def openapi(request: Request) -> HTTPResponse:
    """The OpenAPI document."""
    docs: Docs = request.app.ctx.docs
    return HTTPResponse(docs.document, 200, dict(HEADERS), "application/json")


@blueprint.get("/docs")
async def docs(request: Request) -> HTTPResponse:
    """The same as a page."""
    made: Docs = request.app.ctx.docs
    return HTTPResponse(made.page, 200, dict(HEADERS), "text/html; charset=utf-8")
