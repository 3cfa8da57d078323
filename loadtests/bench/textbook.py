"""The textbook server: one transaction a request, then Redis, as tutorials write it."""

import os
import sys
from types import SimpleNamespace
from typing import Any

import asyncpg
import msgspec
from redis.asyncio import Redis
from sanic import HTTPResponse, Request, Sanic

from loadtests.bench.ceiling import PATH, POINTS, bare_app
from loadtests.bench.checks import Checks, Refused
from server.bodies import answer
from server.settings import Settings
from tickets.ticket import Ticket

CONNECTIONS = 20
BOARD, CHANNEL = "textbook:board", "textbook:updates"

TABLES = """
    CREATE SCHEMA textbook;
    CREATE TABLE textbook.players (id uuid PRIMARY KEY, score bigint NOT NULL DEFAULT 0);
    CREATE TABLE textbook.ledger (
        ticket_id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES textbook.players (id),
        action_id text NOT NULL,
        delta bigint NOT NULL,
        at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX ON textbook.ledger (user_id, at);
    INSERT INTO textbook.players (id) SELECT id FROM public.players;
"""
INSERT = "INSERT INTO textbook.ledger (ticket_id, user_id, action_id, delta) VALUES ($1, $2, $3, $4)"
UPDATE = "UPDATE textbook.players SET score = score + $2 WHERE id = $1 RETURNING score"


class Textbook:
    """A pool, a Redis client, and what a request does with them."""

    def __init__(self, pool: "asyncpg.Pool[Any]", redis: Redis) -> None:
        self._pool = pool
        self._redis = redis

    async def redeem(self, ticket: Ticket) -> int:
        """The new score; raises asyncpg.UniqueViolationError for a spent ticket."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(INSERT, ticket.ticket_id, ticket.user_id, ticket.action_id, POINTS)
            score: int = await connection.fetchval(UPDATE, ticket.user_id, POINTS)
        await self._redis.zadd(BOARD, {ticket.user_id: score})
        top = await self._redis.zrevrange(BOARD, 0, 9, withscores=True)
        await self._redis.publish(CHANNEL, msgspec.json.encode(top))
        return score


def make_app(settings: Settings) -> Sanic:  # type: ignore[type-arg]
    """The server; its tables are made at the start."""
    app = bare_app("textbook")
    app.ctx = SimpleNamespace()
    checks = Checks(settings)

    async def start(app: Sanic) -> None:  # type: ignore[type-arg]
        pool = await asyncpg.create_pool(settings.database_url, min_size=CONNECTIONS, max_size=CONNECTIONS)
        await pool.execute(TABLES)
        app.ctx.textbook = Textbook(pool, Redis.from_url(str(settings.redis_url), decode_responses=True))

    async def redeem(request: Request) -> HTTPResponse:
        try:
            ticket = checks.ticket_of(request)
            score = await request.app.ctx.textbook.redeem(ticket)
        except Refused:
            return answer({"success": False}, 403)
        except asyncpg.UniqueViolationError:
            return answer({"success": False}, 409)
        return answer({"success": True, "newScore": score})

    app.before_server_start(start)
    app.add_route(redeem, PATH, methods=["POST"])
    return app


def main() -> None:
    """Serves on the port named first, with Laurel's own settings from the environment."""
    make_app(Settings.from_mapping(os.environ)).run(
        host="127.0.0.1", port=int(sys.argv[1]), single_process=True, backlog=1_024, motd=False, access_log=False
    )


if __name__ == "__main__":
    main()
