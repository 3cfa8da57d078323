-- Deletes a board with its results; what it leaves in large tables is swept up later. Tells every pod.
WITH gone AS (DELETE FROM boards WHERE board_id = $1 RETURNING board_id),
     result AS (DELETE FROM results USING gone WHERE results.board_id = gone.board_id RETURNING results.id),
     revision AS (DELETE FROM result_revisions USING result WHERE result_revisions.result = result.id),
     told AS (INSERT INTO control (topic, subject) SELECT 'boards', board_id FROM gone)
SELECT board_id FROM gone
