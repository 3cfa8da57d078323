"""HTTP and WebSocket routes: thin, one file a noun."""
