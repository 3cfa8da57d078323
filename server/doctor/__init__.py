"""What `laurel doctor` looks at: settings, PostgreSQL, Redis, their agreement, pods."""
