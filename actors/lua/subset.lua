-- Finds many players on a board and period, from one consistent state.
-- KEYS: pointer, rank, users, meta. ARGV: users.
-- Returns {"ok", epoch, version, players, then user, member, score, rank from 1 of each who is there} or {"broken"}.
local epoch = redis.call('GET', KEYS[1])
local meta = redis.call('HMGET', KEYS[4], 'version', 'players', 'known')
if not epoch or not meta[1]
    or tonumber(meta[2]) ~= redis.call('ZCARD', KEYS[2])
    or tonumber(meta[3]) ~= redis.call('HLEN', KEYS[3]) then
    return {'broken'}
end
local found = {'ok', epoch, meta[1], tonumber(meta[2])}
for _, user in ipairs(ARGV) do
    local held = redis.call('HGET', KEYS[3], user)
    local member = held and string.sub(held, string.find(held, '|', 1, true) + 1) or ''
    if member ~= '' then
        local rank = redis.call('ZREVRANK', KEYS[2], member)
        if not rank then return {'broken'} end
        found[#found + 1] = user
        found[#found + 1] = member
        found[#found + 1] = redis.call('ZSCORE', KEYS[2], member)
        found[#found + 1] = rank + 1
    end
end
return found
