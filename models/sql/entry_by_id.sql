-- The entry of an id; none of a month that is closed, as its archive is being made: nobody may void it any more.
SELECT {entry} AS entry FROM ledger l
WHERE l.entry_id = $1
  AND l.entry_id >= coalesce((SELECT uuid7_floor(at) FROM marks WHERE name = 'closed'), '00000000-0000-0000-0000-000000000000')
