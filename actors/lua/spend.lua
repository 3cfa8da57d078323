-- Counts uses within fixed windows, each of which begins with its first use.
-- ARGV: msgpack [key, quota, window in ms, uses to be told, uses asked for, ...], five for each user or address.
-- Returns for each: uses granted of those asked for, uses in all, ms until the window ends.
-- What is told has happened and always counts. Run twice because a reply was lost, it counts twice: too much, never too little.
-- The keys are packed with the rest: as keys of their own each value cost the pod 1.5 µs, the whole check 14 µs.
local asked_for = cmsgpack.unpack(ARGV[1])
local answer = {}
for i = 1, #asked_for, 5 do
    local key, quota, window, told, asked =
        asked_for[i], asked_for[i + 1], asked_for[i + 2], asked_for[i + 3], asked_for[i + 4]
    local used = (asked > 0 or told == 0) and tonumber(redis.call('GET', key) or '0') or 0
    local granted = math.max(0, math.min(asked, quota - used - told))
    if told + granted > 0 then
        used = redis.call('INCRBY', key, told + granted)
    end
    local left = used > 0 and redis.call('PTTL', key) or -1
    if left < 0 then
        left = window
        if used > 0 then redis.call('PEXPIRE', key, window) end
    end
    local n = #answer
    answer[n + 1], answer[n + 2], answer[n + 3] = granted, used, left
end
return answer
