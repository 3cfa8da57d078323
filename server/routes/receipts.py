"""Receipts of redemptions, and the keys to check them with."""

from sanic import HTTPResponse, Request

from models import ledger
from models.entry import Kind
from models.ids import UserId, is_uuid
from server.blueprints import Blueprint
from server.bodies import answer
from server.documented import documented
from server.errors import NotFound
from server.limits import limited
from server.runtime import Runtime
from server.wire.receipts import KeySet, ReceiptAnswer

KEY_SET = "application/jwk-set+json"
KEYS_SECONDS = 60
"""How long a reader may keep the keys; a new key is published before it signs."""

blueprint = Blueprint("receipts")


@blueprint.get("/api/v1/tickets/<ticket_id:str>/receipt")
@documented(ReceiptAnswer, limits=("reads",))
async def receipt(request: Request, ticket_id: str) -> HTTPResponse:
    """The signed receipt of an own redemption; anything else is not found, whatever it is."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    session = runtime.tokens.required(request)
    return await runtime.supervisor.detached("receipt", _receipt(runtime, session.user_id, ticket_id.lower()))


async def _receipt(runtime: Runtime, user_id: UserId, ticket_id: str) -> HTTPResponse:
    entry = await ledger.entry_by_id(runtime.database, ticket_id) if is_uuid(ticket_id) else None
    if entry is None or entry.user_id != user_id or entry.kind is not Kind.REDEEM or not runtime.receipts.possible:
        raise NotFound("you have redeemed no such ticket")
    return answer(ReceiptAnswer(receipt=runtime.receipts.sign(entry)), 200, {"Cache-Control": "private, no-cache"})


@blueprint.get("/.well-known/laurel-receipt-keys.json")
@documented(KeySet, caller="none", media_type=KEY_SET)
async def keys(request: Request) -> HTTPResponse:
    """The public keys of receipts (JWKS)."""
    runtime: Runtime = request.app.ctx.runtime
    headers = {"Cache-Control": f"public, max-age={KEYS_SECONDS}", "Access-Control-Allow-Origin": "*"}
    return HTTPResponse(runtime.receipts.published, 200, headers, KEY_SET)
