// What the shared cache does on Redis, each step in one piece; the argument for them is in redis-cache.ts.
import { defineScript, NOW_US_LUA } from './redis-script.ts';

/** KEYS: value, ticket, marks, epoch. ARGV: a new ticket, its time to live in ms. Answers the value, or else a ticket. */
export const LOOK = defineScript(`
${NOW_US_LUA}
local epoch = redis.call('get', KEYS[4]) or '0'
local found = redis.call('hmget', KEYS[1], 'bytes', 'epoch')
if found[1] and found[2] == epoch then return {found[1]} end
redis.call('zremrangebyscore', KEYS[3], '-inf', math.floor(now / 1000))
if redis.call('exists', KEYS[3]) == 1 then return {} end
local ticket = redis.call('get', KEYS[2])
if not ticket or string.sub(ticket, 1, #epoch + 1) ~= epoch .. ':' then
  ticket = epoch .. ':' .. ARGV[1]
  redis.call('set', KEYS[2], ticket, 'px', ARGV[2])
end
return {false, ticket}
`);

/**
 * KEYS: value, ticket, epoch. ARGV: ticket, bytes, time to live in ms, a ticket's time to live. The ticket's age is
 * taken off, so that the time to live counts from the look.
 */
export const FILL = defineScript(`
local epoch = redis.call('get', KEYS[3]) or '0'
if redis.call('get', KEYS[2]) ~= ARGV[1] then return 0 end
if string.sub(ARGV[1], 1, #epoch + 1) ~= epoch .. ':' then return 0 end
local age = tonumber(ARGV[4]) - redis.call('pttl', KEYS[2])
local left = math.floor(tonumber(ARGV[3]) - age)
redis.call('del', KEYS[2])
if left <= 0 then return 0 end
redis.call('del', KEYS[1])
redis.call('hset', KEYS[1], 'bytes', ARGV[2], 'epoch', epoch)
redis.call('pexpire', KEYS[1], left)
return 1
`);

/** KEYS: value, ticket, marks of each key. ARGV: the change's mark, how long it stands in ms. */
export const BEGIN = defineScript(
  `
${NOW_US_LUA}
for i = 1, #KEYS, 3 do
  redis.call('unlink', KEYS[i], KEYS[i + 1])
  redis.call('zadd', KEYS[i + 2], math.floor(now / 1000) + tonumber(ARGV[2]), ARGV[1])
  redis.call('pexpire', KEYS[i + 2], ARGV[2])
end
return 1
`,
  { may_free: true },
);

/** The same keys. ARGV: the change's mark; an unknown one only removes. */
export const SETTLE = defineScript(
  `
for i = 1, #KEYS, 3 do
  redis.call('unlink', KEYS[i], KEYS[i + 1])
  redis.call('zrem', KEYS[i + 2], ARGV[1])
end
return 1
`,
  { may_free: true },
);

/** KEYS: epoch. ARGV: how long to remember it in ms, longer than anything of an earlier epoch lives. */
export const NEXT_EPOCH = defineScript(
  `
redis.call('incr', KEYS[1])
redis.call('pexpire', KEYS[1], ARGV[1])
return 1
`,
  { may_free: true },
);
