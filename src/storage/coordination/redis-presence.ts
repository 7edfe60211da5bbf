// Presence on Redis: a hash for each member that lives a few refreshes long, and a list of who may be there.
import type { Member } from './port.ts';
import type { RedisConnection } from './redis-connection.ts';
import { defineScript, NOW_US_LUA, runScript } from './redis-script.ts';

/** KEYS: list, member. ARGV: id, what it says, since, ms. */
const HERE = defineScript(`
${NOW_US_LUA}
redis.call('hset', KEYS[2], 'about', ARGV[2], 'since', ARGV[3])
redis.call('pexpire', KEYS[2], ARGV[4])
redis.call('zadd', KEYS[1], math.floor(now / 1000) + tonumber(ARGV[4]), ARGV[1])
redis.call('pexpire', KEYS[1], ARGV[4])
return 1
`);

/** KEYS: list, member. ARGV: id. */
const GONE = defineScript(
  `
redis.call('unlink', KEYS[2])
return redis.call('zrem', KEYS[1], ARGV[1])
`,
  { may_free: true },
);

/** KEYS: list. Answers the ids of those whose time has not run out. */
const LIVING = defineScript(`
${NOW_US_LUA}
redis.call('zremrangebyscore', KEYS[1], '-inf', math.floor(now / 1000))
return redis.call('zrange', KEYS[1], 0, -1)
`);

const listKey = (prefix: string) => `${prefix}members`;
const memberKey = (prefix: string, id: string) => `${prefix}member:${id}`;

/** Says that a member is there, for `ttl_ms` from now. */
export async function sayHere(client: RedisConnection, prefix: string, member: Member, ttl_ms: number): Promise<void> {
  const { member_id, about, since } = member;
  const keys = [listKey(prefix), memberKey(prefix, member_id)];
  await runScript(client, HERE, keys, [member_id, JSON.stringify(about), since, ttl_ms]);
}

export async function sayGone(client: RedisConnection, prefix: string, member_id: string): Promise<void> {
  await runScript(client, GONE, [listKey(prefix), memberKey(prefix, member_id)], [member_id]);
}

/** The living, in the order of their ids. */
export async function listMembers(client: RedisConnection, prefix: string): Promise<Member[]> {
  const ids = (await runScript<Buffer[]>(client, LIVING, [listKey(prefix)], [])).map(String).sort();
  const hashes = await Promise.all(ids.map((id) => client.hGetAll(memberKey(prefix, id))));
  return ids.flatMap((member_id, i) => {
    const hash = hashes[i];
    const about = readAbout(hash?.about);
    return hash?.since && about ? [{ member_id, about, since: hash.since }] : [];
  });
}

function readAbout(text: string | undefined): Record<string, string> | undefined {
  try {
    const parsed: unknown = JSON.parse(text ?? '');
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}
