-- Finds one player's place on a board and period.
-- KEYS: pointer, rank, users, meta. ARGV: user, size of the top.
-- Returns {"ok", epoch, member, score, rank from 1, players, score above or "", edge score or ""}, {"absent"} or {"broken"}.
local meta = redis.call('HMGET', KEYS[4], 'version', 'players', 'known')
local epoch = redis.call('GET', KEYS[1])
if not epoch or not meta[1]
    or tonumber(meta[2]) ~= redis.call('ZCARD', KEYS[2])
    or tonumber(meta[3]) ~= redis.call('HLEN', KEYS[3]) then
    return {'broken'}
end
local held = redis.call('HGET', KEYS[3], ARGV[1])
if not held then return {'absent'} end
local member = string.sub(held, string.find(held, '|', 1, true) + 1)
if member == '' then return {'absent'} end
local rank = redis.call('ZREVRANK', KEYS[2], member)
if not rank then return {'broken'} end
local above = rank > 0 and redis.call('ZREVRANGE', KEYS[2], rank - 1, rank - 1, 'WITHSCORES')[2] or ''
local edge = redis.call('ZREVRANGE', KEYS[2], ARGV[2] - 1, ARGV[2] - 1, 'WITHSCORES')[2] or ''
return {'ok', epoch, member, redis.call('ZSCORE', KEYS[2], member), rank + 1, tonumber(meta[2]), above, edge}
