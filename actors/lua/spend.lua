-- Counts uses within fixed windows, each of which begins with its first use.
-- KEYS: one counter for each user or address. ARGV for each: quota, window in ms, uses to be told, uses asked for.
-- Returns for each: uses granted of those asked for, uses in all, ms until the window ends.
-- What is told has happened and always counts. Run twice because a reply was lost, it counts twice: too much, never too little.
local answer = {}
for i, key in ipairs(KEYS) do
    local at = 4 * i - 3
    local quota, window = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local told, asked = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local used = tonumber(redis.call('GET', key) or '0')
    local granted = math.max(0, math.min(asked, quota - used - told))
    if told + granted > 0 then
        used = redis.call('INCRBY', key, told + granted)
    end
    local left = used > 0 and redis.call('PTTL', key) or -1
    if left < 0 then
        left = window
        if used > 0 then redis.call('PEXPIRE', key, window) end
    end
    answer[at - i + 1], answer[at - i + 2], answer[at - i + 3] = granted, used, left
end
return answer
