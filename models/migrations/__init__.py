"""Schema history, one SQL file a step, run by Tortoise."""
