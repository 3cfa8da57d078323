"""Action tickets: signing them and judging them; pure."""
