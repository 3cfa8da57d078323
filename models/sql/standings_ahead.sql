-- Removes memos and standings of versions that their players do not have.
WITH ahead AS (
    DELETE FROM player_memos m USING players p WHERE p.id = m.user_id AND m.version > p.version RETURNING m.user_id
)
DELETE FROM standings s USING ahead WHERE s.user_id = ahead.user_id
