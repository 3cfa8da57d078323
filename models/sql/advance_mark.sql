-- Moves a mark forward, never back, and never past the present, whatever the clock of whoever asks says.
INSERT INTO marks (name, at) VALUES ($1, least($2, clock_timestamp()))
ON CONFLICT (name) DO UPDATE SET at = greatest(marks.at, excluded.at)
