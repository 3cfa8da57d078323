"""Proofs of work that have been used: once, whichever pod is asked."""

from models.database import Database, sql

SPEND = sql("spend_proof")


async def spend(database: Database, proof: bytes, expires_at: int) -> bool:
    """Uses a proof up; False when it was used before. `expires_at` is Unix seconds.

    Raises DatabaseUnavailable, after which it may have been used.
    """
    return bool(await database.rows(SPEND, proof, expires_at))
