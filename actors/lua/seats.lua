-- Counts the live connections of users and addresses over all pods.
-- KEYS: one hash for each user or address, pod → "count:until in ms". ARGV: pod, lease in ms, then for each key: connections of
-- this pod, how many of them are new, the most there may be over all pods (for the new ones only).
-- Returns for each how many of this pod's connections may stay. What a pod has not renewed in time does not count: it is dead.
-- Counts are absolute, so running it twice changes nothing.
local pod, lease = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local answer = {}
for i, key in ipairs(KEYS) do
    local count, new, most = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
    local others = 0
    local held = redis.call('HGETALL', key)
    for j = 1, #held, 2 do
        if held[j] ~= pod then
            local theirs, till = string.match(held[j + 1], '^(%d+):(%d+)$')
            if till and tonumber(till) > now then
                others = others + tonumber(theirs)
            else
                redis.call('HDEL', key, held[j])
            end
        end
    end
    local kept = math.min(count, math.max(count - new, most - others))
    if kept > 0 then
        redis.call('HSET', key, pod, string.format('%d:%.0f', kept, now + lease))
        redis.call('PEXPIRE', key, lease)
    else
        redis.call('HDEL', key, pod)
    end
    answer[i] = kept
end
return answer
