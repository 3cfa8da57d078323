-- Counts uses by the minute, which the pods read off the database's clock.
-- ARGV: msgpack [key, minute, uses to be told, ...], three for each user or address; fewer than none are taken back.
-- Returns for each: uses in this minute, uses in the one before.
-- Run twice because a reply was lost, it counts twice: too much, never too little.
local told = cmsgpack.unpack(ARGV[1])
local answer = {}
for i = 1, #told, 3 do
    local key, minute, uses = told[i], told[i + 1], told[i + 2]
    local present = string.format('%s:%d', key, minute)
    local now
    if uses == 0 then
        now = tonumber(redis.call('GET', present) or '0')
    else
        now = redis.call('INCRBY', present, uses)
        redis.call('EXPIRE', present, 120)
    end
    local n = #answer
    answer[n + 1] = now
    answer[n + 2] = tonumber(redis.call('GET', string.format('%s:%d', key, minute - 1)) or '0')
end
return answer
