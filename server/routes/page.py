"""The live page and the client library, from memory."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sanic import HTTPResponse, Request

from server.blueprints import Blueprint
from server.errors import NotFound

FOLDER = Path(__file__).parent.parent / "web"
INDEX = "index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
# Everything comes from this server; avatars may stand elsewhere, over https.
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' https: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",  # the library may be loaded by a game's own page
    "Cache-Control": "no-cache",
}

blueprint = Blueprint("page")


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file as it is served."""

    body: bytes
    media_type: str
    tag: str


def load() -> dict[str, WebFile]:
    """Every file of the page by its path below `server/web`."""
    return {
        path.relative_to(FOLDER).as_posix(): _file(path)
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in TYPES and path.is_file()
    }


def _file(path: Path) -> WebFile:
    body = path.read_bytes()
    return WebFile(body, TYPES[path.suffix], f'"{sha256(body).hexdigest()[:24]}"')


@blueprint.get("/")
async def index(request: Request) -> HTTPResponse:
    """The live page."""
    return _answer(request, INDEX)


@blueprint.get("/web/<name:path>")
async def web(request: Request, name: str) -> HTTPResponse:
    """A file of the page or the library."""
    return _answer(request, name)


def _answer(request: Request, name: str) -> HTTPResponse:
    files: dict[str, WebFile] = request.app.ctx.web
    file = files.get(name)
    if file is None:
        raise NotFound("there is no such file")
    headers = {**HEADERS, "ETag": file.tag}
    if request.headers.get("if-none-match") == file.tag:
        return HTTPResponse(status=304, headers=headers)
    return HTTPResponse(file.body, 200, headers, file.media_type)
