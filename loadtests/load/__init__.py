"""Load tests: people for locust, what they were told, and a verdict on it."""
