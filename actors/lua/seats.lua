-- Counts the live connections of users and addresses over all pods, in one hash for each: pod → "count:until in ms".
-- ARGV: pod, lease in ms, msgpack [key, connections of this pod, how many of them are new, the most there may be, ...], four
-- for each user or address; the most is on all pods, and only stops new ones.
-- Returns for each how many of this pod's connections may stay. What a pod has not renewed in time does not count: it is dead.
-- Counts are absolute, so running it twice changes nothing.
local pod, lease, asked = ARGV[1], tonumber(ARGV[2]), cmsgpack.unpack(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local answer = {}
for i = 1, #asked, 4 do
    local key, count, new, most = asked[i], asked[i + 1], asked[i + 2], asked[i + 3]
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
    answer[#answer + 1] = kept
end
return answer
