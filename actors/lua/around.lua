-- Reads the rows around one player on a board and period, from one consistent state.
-- KEYS: pointer, rank, users, meta. ARGV: user, how many above and below at most.
-- Returns {"ok", epoch, version, at, players, server's run, first rank from 0, member, score, ...}, {"absent"} or {"broken"}.
local epoch = redis.call('GET', KEYS[1])
local meta = redis.call('HMGET', KEYS[4], 'version', 'at', 'players', 'known', 'run')
if not epoch or not meta[1]
    or tonumber(meta[3]) ~= redis.call('ZCARD', KEYS[2])
    or tonumber(meta[4]) ~= redis.call('HLEN', KEYS[3]) then
    return {'broken'}
end
local held = redis.call('HGET', KEYS[3], ARGV[1])
if not held then return {'absent'} end
local member = string.sub(held, string.find(held, '|', 1, true) + 1)
if member == '' then return {'absent'} end
local rank = redis.call('ZREVRANK', KEYS[2], member)
if not rank then return {'broken'} end
local first = math.max(0, rank - tonumber(ARGV[2]))
local rows = redis.call('ZREVRANGE', KEYS[2], first, rank + tonumber(ARGV[2]), 'WITHSCORES')
return {'ok', epoch, meta[1], meta[2], meta[3], meta[5] or '', first, unpack(rows)}
