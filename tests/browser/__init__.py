"""The page in a real browser, on two pods."""
