-- Moves a mark forward, never back.
INSERT INTO marks (name, at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET at = greatest(marks.at, excluded.at)
