-- Applies absolute standings to one board and period, and numbers the change of its top.
-- KEYS: pointer, rank, users, meta, stream. ARGV: epoch, greatest version seen, top size, now in ms, ttl in ms,
-- changes as msgpack columns [users, versions, members or "", scores, marks "version|member", deltas or false] (a table
-- a change would cost a sixth more), "1" to rank and notify, "1" while filling, when the oldest of them
-- was committed, in ms.
-- Returns {"ok", version, players, edge score or "", ranks from 1 or 0 ...} or {"moved"} or {"broken"}.
-- Everything is absolute and guarded by the player's version, so running it twice changes nothing.
local epoch, seen, size, now, ttl = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local answering, filling = ARGV[7] == '1', ARGV[8] == '1'

if not filling and redis.call('GET', KEYS[1]) ~= epoch then return {'moved'} end
local meta = redis.call('HMGET', KEYS[4], 'version', 'top', 'players', 'known')
if not meta[1] or tonumber(meta[1]) < seen
    or tonumber(meta[3]) ~= redis.call('ZCARD', KEYS[2])
    or tonumber(meta[4]) ~= redis.call('HLEN', KEYS[3]) then
    return {'broken'}
end

local users, versions, members, scores, marks, deltas = unpack(cmsgpack.unpack(ARGV[6]))
local held = #users > 0 and redis.call('HMGET', KEYS[3], unpack(users)) or {}
local gone, placed, marked, notices = {}, {}, {}, {}
for i, user in ipairs(users) do
    local member, old_version, old_member = members[i], -1, ''
    if held[i] then
        local cut = string.find(held[i], '|', 1, true)
        old_version, old_member = tonumber(string.sub(held[i], 1, cut - 1)), string.sub(held[i], cut + 1)
    end
    if versions[i] > old_version then
        if old_member ~= '' and old_member ~= member then gone[#gone + 1] = old_member end
        if member ~= '' then
            placed[#placed + 1] = scores[i]
            placed[#placed + 1] = member
        end
        marked[#marked + 1] = user
        marked[#marked + 1] = marks[i]
        notices[i] = deltas[i]
    end
end
if #gone > 0 then redis.call('ZREM', KEYS[2], unpack(gone)) end
if #placed > 0 then redis.call('ZADD', KEYS[2], unpack(placed)) end
if #marked > 0 then redis.call('HSET', KEYS[3], unpack(marked)) end

local players = redis.call('ZCARD', KEYS[2])
local rows = redis.call('ZREVRANGE', KEYS[2], 0, size - 1, 'WITHSCORES')
local top = table.concat(rows, ' ')
local version = tonumber(meta[1])
if top ~= meta[2] and not filling then
    version = version + 1
    redis.call('XADD', KEYS[5], 'MAXLEN', '~', '1000', string.format('%.0f-0', version), 'top', top, 'at', now,
        'since', ARGV[9])
    if redis.call('PTTL', KEYS[5]) < 0 then redis.call('PEXPIRE', KEYS[5], ttl) end
end
if #marked > 0 or #gone > 0 then
    redis.call('HSET', KEYS[4], 'version', string.format('%.0f', version), 'top', top, 'at', now,
        'players', players, 'known', redis.call('HLEN', KEYS[3]))
end
if redis.call('PTTL', KEYS[2]) < ttl / 2 then
    for i = filling and 2 or 1, 5 do redis.call('PEXPIRE', KEYS[i], ttl) end
end

local edge = #rows >= 20 and rows[20] or ''
local answer = {'ok', version, players, edge}
if answering then
    for i, user in ipairs(users) do
        local rank = members[i] ~= '' and redis.call('ZREVRANK', KEYS[2], members[i])
        answer[i + 4] = rank and rank + 1 or 0
        if notices[i] then
            local missing = (rank and rank < 10 or edge == '') and '0'
                or string.format('%.0f', tonumber(edge) - scores[i] + 1)
            redis.call('PUBLISH', 'laurel:user:' .. user, table.concat({
                string.format('%.0f', versions[i]), string.format('%.0f', scores[i]), rank and rank + 1 or 0,
                string.format('%.0f', notices[i]), missing}, ' '))
        end
    end
end
return answer
