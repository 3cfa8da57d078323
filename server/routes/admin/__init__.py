"""Routes for admins."""
