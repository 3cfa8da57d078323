-- Reads a page of one board and period behind a cursor, from one consistent state.
-- KEYS: pointer, rank, users, meta. ARGV: limit, cursor's score and member ("" for the start).
-- Returns {"ok", epoch, version, at, players, server's run, first rank from 0, member, score, ...} or {"broken"}.
local limit, score, member = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local epoch = redis.call('GET', KEYS[1])
local meta = redis.call('HMGET', KEYS[4], 'version', 'at', 'players', 'known', 'run')
if not epoch or not meta[1]
    or tonumber(meta[3]) ~= redis.call('ZCARD', KEYS[2])
    or tonumber(meta[4]) ~= redis.call('HLEN', KEYS[3]) then
    return {'broken'}
end
local first = 0
if member ~= '' then
    local rank = redis.call('ZREVRANK', KEYS[2], member)
    if rank and redis.call('ZSCORE', KEYS[2], member) == score then
        first = rank + 1
    else
        -- The one the cursor points at has moved: count who is before its place among equal scores.
        first = redis.call('ZCOUNT', KEYS[2], '(' .. score, '+inf')
        for _, equal in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[2], score, score)) do
            if equal < member then break end
            first = first + 1
        end
    end
end
local rows = redis.call('ZREVRANGE', KEYS[2], first, first + limit - 1, 'WITHSCORES')
return {'ok', epoch, meta[1], meta[2], meta[3], meta[5] or '', first, unpack(rows)}
