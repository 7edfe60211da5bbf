// Presence on Redis: a hash for each member that lives a few refreshes long, and a list of who may be there.
import { type Clock, toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { Coordination, Member } from './port.ts';
import type { RedisConnection } from './redis-connection.ts';
import { defineScript, NOW_US_LUA, runScript } from './redis-script.ts';
import type { Use } from './redis-state.ts';

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
async function sayHere(client: RedisConnection, prefix: string, member: Member, ttl_ms: number): Promise<void> {
  const { member_id, about, since } = member;
  const keys = [listKey(prefix), memberKey(prefix, member_id)];
  await runScript(client, HERE, keys, [member_id, JSON.stringify(about), since, ttl_ms]);
}

async function sayGone(client: RedisConnection, prefix: string, member_id: string): Promise<void> {
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

/** How long a member is there after it last said so, and how often it says so. */
export interface PresenceTiming {
  readonly ttl_ms: number;
  readonly refresh_ms: number;
}

const PRESENCE: PresenceTiming = { ttl_ms: limits.presence_ttl_ms, refresh_ms: limits.presence_refresh_ms };

export interface PresenceDeps {
  readonly prefix: string;
  readonly member_id: string;
  readonly fallback: Coordination;
  readonly clock: Clock;
  readonly use: Use;
  readonly presence?: PresenceTiming;
}

/** Says that this process is there, again and again from `announce` until `leave`. */
export function createPresence({ prefix, member_id, fallback, clock, use, presence = PRESENCE }: PresenceDeps) {
  let self: Member | undefined;
  const refresh = async (client: RedisConnection): Promise<void> => {
    if (self) await sayHere(client, prefix, self, presence.ttl_ms);
  };
  const timer = setInterval(() => void use(refresh).catch(() => {}), presence.refresh_ms);
  timer.unref();
  return {
    refresh,
    async announce(about: Readonly<Record<string, string>>): Promise<void> {
      self = { member_id, about: { ...about }, since: self?.since ?? toIso(clock.now()) };
      await fallback.announce(about);
      await use(refresh).catch(() => {});
    },
    async leave(): Promise<void> {
      clearInterval(timer);
      if (self) await use((client) => sayGone(client, prefix, member_id)).catch(() => {});
      self = undefined;
    },
  };
}
