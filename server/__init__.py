"""Everything that knows Sanic, HTTP, JWT and the environment."""
