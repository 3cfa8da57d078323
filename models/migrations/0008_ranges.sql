-- Summarizes block ranges of the ledger that are full, newest first, at most so many; how many it did. PostgreSQL has it
-- done by autovacuum, which forgets most of it in a busy minute; what is not summarized is read by every search by time.
-- The newest ranges are left alone: a summary of what still grows would be rewritten by every redemption.
CREATE OR REPLACE FUNCTION ledger_summarize(most integer) RETURNS integer LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
DECLARE
    part record;
    block bigint;
    fresh integer;
    known integer;
    made integer := 0;
BEGIN
    FOR part IN
        SELECT i.indexrelid::regclass AS name, pg_relation_size(i.indrelid) / current_setting('block_size')::bigint AS blocks
        FROM pg_inherits h JOIN pg_index i ON i.indrelid = h.inhrelid
        JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
        WHERE h.inhparent = 'ledger'::regclass AND a.amname = 'brin' AND i.indisvalid
    LOOP
        block := part.blocks / 16 * 16 - 32;
        known := 0;
        WHILE block >= 0 AND known < 32 AND made < most LOOP
            fresh := brin_summarize_range(part.name, block);
            known := CASE fresh WHEN 0 THEN known + 1 ELSE 0 END;
            made := made + fresh;
            block := block - 16;
        END LOOP;
    END LOOP;
    RETURN made;
EXCEPTION WHEN lock_not_available THEN
    RETURN made; -- a vacuum is at it, which does the same
END
$$;
