-- Boards as data. `filled` is the revision whose standings are complete; a frozen board shows the rows under `frozen_key`.
ALTER TABLE boards
    ADD COLUMN hidden boolean NOT NULL DEFAULT false,
    ADD COLUMN filled integer NOT NULL DEFAULT 0,
    ADD COLUMN frozen_key text,
    ADD COLUMN frozen_period text,
    ADD COLUMN frozen_at timestamptz;
-- What stands here already is in everybody's standings.
UPDATE boards SET filled = revision;

-- Rules of boards never change; a changed board has a new revision, and a number is never given twice.
CREATE TABLE board_revisions (
    board_id text NOT NULL,
    revision integer NOT NULL,
    rules jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (board_id, revision)
);
INSERT INTO board_revisions (board_id, revision, rules)
SELECT board_id, revision, jsonb_build_object('fold', fold, 'window', "window", 'timeZone', time_zone) FROM boards;

-- The standing boards; the season has no period until an admin sets one.
-- Without entries there is nothing to fill them with; otherwise a pod does that.
INSERT INTO boards (board_id, revision, title, fold, "window", position, filled)
SELECT id, 1, title, 'sum', "window", position, (NOT EXISTS (SELECT FROM ledger))::int
FROM (VALUES ('daily', 'Today', 'day', 2), ('monthly', 'This month', 'month', 3), ('season', 'Season', 'season', 4))
    AS standing (id, title, "window", position)
ON CONFLICT DO NOTHING;
INSERT INTO board_revisions (board_id, revision, rules)
SELECT board_id, revision, jsonb_build_object('fold', fold, 'window', "window", 'timeZone', time_zone) FROM boards
ON CONFLICT DO NOTHING;

-- Results of periods, kept for good. The unique constraint is what makes each be frozen once.
CREATE TABLE results (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    board_id text NOT NULL,
    period text NOT NULL,
    board_revision integer NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    UNIQUE (board_id, period)
);
CREATE INDEX results_ends ON results (ends_at);

-- Revision 1 is the frozen result; a void of an entry of the period makes the next one.
CREATE TABLE result_revisions (
    result bigint NOT NULL,
    revision integer NOT NULL,
    players bigint NOT NULL,
    cause uuid,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (result, revision)
);

-- A row belongs to the revisions `since` to `until`, so that a new revision writes one row and keeps the old ones.
CREATE TABLE result_rows (
    result bigint NOT NULL,
    user_id uuid NOT NULL,
    score bigint NOT NULL,
    reached_at bigint NOT NULL,
    since integer NOT NULL,
    until integer NOT NULL DEFAULT 2147483647,
    PRIMARY KEY (result, user_id, since)
);
CREATE INDEX result_order ON result_rows (result, score DESC, reached_at, user_id DESC);
