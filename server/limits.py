"""Which limits there are, and how a request is counted."""

from collections.abc import MutableMapping
from hashlib import blake2b
from math import ceil

from sanic import Request

from actors.quota import Limit, Verdict
from server.addresses import address_of
from server.errors import RequestError
from server.rates import Rate
from server.settings import Settings

LONGEST_NAME = 40
"""Of a user id or address as it is; longer names, which callers choose, are counted by their digest."""


class RateLimited(RequestError):
    """Too many requests; the same one may be sent again after a while."""

    code, status = "rate_limited", 429


class Policies:
    """The limits in force by name; none for a load test.

    `tickets`, `challenges`, `redeem`, `edits` and `export` count for a user, `awards` for a client that has API keys,
    `login` for an account, the others for an address.
    """

    def __init__(self, settings: Settings) -> None:
        account, address = settings.rate_limit_login
        rates = {
            "tickets": settings.rate_limit_tickets,
            "redeem": settings.rate_limit_redeem,
            "reads": settings.rate_limit_reads,
            "login": account,
            "login-address": address,
            "register": address,
            "refresh": address,
            "api-key": address,
            "challenges": settings.rate_limit_tickets,
            "edits": settings.rate_limit_redeem,
            "export": account,
            "awards": settings.rate_limit_awards,
        }
        self._limits = {} if settings.load_test else {name: _limit(name, rate) for name, rate in rates.items()}
        self._texts = {
            name: f'"{name}";q={limit.quota};w={limit.window_seconds}' for name, limit in self._limits.items()
        }

    def get(self, name: str) -> Limit | None:
        """The limit of this name, None when limits are lifted."""
        return self._limits.get(name)

    def tell(self, verdicts: list[Verdict], headers: MutableMapping[str, str]) -> None:
        """Says what is left, and for how long, as draft-ietf-httpapi-ratelimit-headers has it."""
        policies = left = comma = ""
        for verdict in verdicts:
            name = verdict.limit.name
            policies += comma + self._texts[name]
            left += f'{comma}"{name}";r={verdict.left};t={ceil(verdict.seconds)}'
            comma = ", "
        headers["RateLimit-Policy"] = policies
        headers["RateLimit"] = left


def _limit(name: str, rate: Rate) -> Limit:
    return Limit(name, rate.count, rate.seconds)


async def limited(request: Request, policy: str, who: str | None = None) -> None:
    """Counts a request of somebody, or of its address if nobody is named; raises RateLimited.

    The answer, whichever it becomes, says what is left: see `server.headers`.
    """
    runtime = request.app.ctx.runtime
    limit = runtime.policies.get(policy)
    if limit is None:
        return
    if who is None:
        who = address_of(request, runtime.settings.trusted_proxies)
    elif len(who) > LONGEST_NAME:
        who = blake2b(who.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    verdict = await runtime.limits.spend(limit, who)
    context = request.ctx
    if hasattr(context, "verdicts"):
        context.verdicts.append(verdict)
    else:
        context.verdicts = [verdict]
    if not verdict.allowed:
        wait = max(1, ceil(verdict.seconds))
        raise RateLimited(f"the limit {policy} is used up", policy=policy, retryAfterSeconds=wait)
