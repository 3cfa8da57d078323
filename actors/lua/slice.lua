-- Reads rows of one board and period by number, from one consistent state.
-- KEYS: pointer, rank, users, meta. ARGV: first and last number from 0, "up" (from the last) or "down" (from the best).
-- Returns {"ok", epoch, member, score, ...} or {"broken"}.
local epoch = redis.call('GET', KEYS[1])
local meta = redis.call('HMGET', KEYS[4], 'version', 'players', 'known')
if not epoch or not meta[1]
    or tonumber(meta[2]) ~= redis.call('ZCARD', KEYS[2])
    or tonumber(meta[3]) ~= redis.call('HLEN', KEYS[3]) then
    return {'broken'}
end
local read = ARGV[3] == 'up' and 'ZRANGE' or 'ZREVRANGE'
return {'ok', epoch, unpack(redis.call(read, KEYS[2], ARGV[1], ARGV[2], 'WITHSCORES'))}
