"""A real PostgreSQL and a real Redis, run from wheels."""
