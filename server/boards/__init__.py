"""Boards as whoever asks may see them: which ones, their pages, a player's place."""
