-- Numbers a change of a shown player's profile: the same top once more, under the next version.
-- KEYS: pointer, rank, users, meta, stream, marker of the notice. ARGV: epoch, user, top size, now in ms, marker's ttl in ms.
-- Returns {"ok", version}, {"absent"} when the player is not in the top, {"done"}, {"moved"} or {"broken"}.
-- The marker makes one step of it however many pods ask; it is set only with the step, so a player who enters the top
-- before the last pod has asked is numbered too.
local epoch, user, size = ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('GET', KEYS[1]) ~= epoch then return {'moved'} end
if redis.call('EXISTS', KEYS[6]) == 1 then return {'done'} end
local meta = redis.call('HMGET', KEYS[4], 'version', 'top')
if not meta[1] or not meta[2] then return {'broken'} end
local held = redis.call('HGET', KEYS[3], user)
if not held then return {'absent'} end
local member = string.sub(held, string.find(held, '|', 1, true) + 1)
local rank = member ~= '' and redis.call('ZREVRANK', KEYS[2], member)
if not rank or rank >= size then return {'absent'} end
local version = string.format('%.0f', tonumber(meta[1]) + 1)
redis.call('XADD', KEYS[5], 'MAXLEN', '~', '1000', version .. '-0', 'top', meta[2], 'at', ARGV[4], 'profile', user)
redis.call('HSET', KEYS[4], 'version', version, 'at', ARGV[4])
redis.call('SET', KEYS[6], '1', 'PX', ARGV[5])
return {'ok', version}
