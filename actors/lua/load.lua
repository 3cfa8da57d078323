-- Loads rows of one board and period into an epoch that nobody reads yet.
-- KEYS: pointer, rank, users, meta, stream. ARGV: top size, now in ms, ttl in ms, lines of "version|member score".
-- Returns {"ok"} or {"broken"}.
-- A load brings each player once, so nothing is compared with what is there; the same lines again change nothing.
local meta = redis.call('HMGET', KEYS[4], 'players', 'known')
if not meta[1] or tonumber(meta[1]) ~= redis.call('ZCARD', KEYS[2]) or tonumber(meta[2]) ~= redis.call('HLEN', KEYS[3]) then
    return {'broken'}
end
local placed, marks, n = {}, {}, 0
for mark, member, score in string.gmatch(ARGV[4], '(%d+|(%d+:[%x-]+)) (-?%d+)\n') do
    placed[n + 1], placed[n + 2] = score, member
    marks[n + 1], marks[n + 2] = string.sub(member, 15), mark
    n = n + 2
end
if n > 0 then
    redis.call('ZADD', KEYS[2], unpack(placed))
    redis.call('HSET', KEYS[3], unpack(marks))
end
local top = table.concat(redis.call('ZREVRANGE', KEYS[2], 0, ARGV[1] - 1, 'WITHSCORES'), ' ')
redis.call('HSET', KEYS[4], 'top', top, 'at', ARGV[2], 'players', redis.call('ZCARD', KEYS[2]), 'known', redis.call('HLEN', KEYS[3]))
if redis.call('PTTL', KEYS[2]) < ARGV[3] / 2 then
    for i = 2, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
end
return {'ok'}
