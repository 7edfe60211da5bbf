// Coordination on Redis 7 or newer: two connections, one for commands and one for events, and this process alone while away.
import type { Clock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import { defaultTiming, type LinkTiming, openLink } from './link.ts';
import type { Coordination, CoordinationStatus, RateLimit, RateVerdict } from './port.ts';
import { GCRA_LUA, gcraTerms } from './rate.ts';
import { createRedisCache } from './redis-cache.ts';
import {
  askServer,
  newRedisClient,
  type RedisConnection,
  type RedisSettings,
  readRedisSettings,
} from './redis-connection.ts';
import { createRedisLeases } from './redis-leases.ts';
import { createPresence, listMembers, type PresenceTiming } from './redis-presence.ts';
import { defineScript, NOW_US_LUA, runScript } from './redis-script.ts';
import { createLinks, createState, type Use } from './redis-state.ts';
import { createGaps, decodeEnvelope, encodeEvent, encodeGap } from './relay.ts';

export interface RedisCoordinationOptions extends RedisSettings {
  /** Before every key and channel; hubs of one store share it. */
  readonly prefix?: string | undefined;
  /** This process alone. Disposed with this. */
  readonly fallback: Coordination;
  readonly clock: Clock;
  /** Never used by another process, also not by this one's successor. */
  readonly member_id: string;
  /** Told when Redis goes away and when it is back. */
  readonly onStateChange?: (status: CoordinationStatus) => void;
  /** Default: limits.ts. */
  readonly timing?: Partial<RedisTiming>;
  readonly presence?: PresenceTiming;
}

export interface RedisTiming extends LinkTiming {
  /** How long after a start of the server the last process is back; until then nothing that changes is cached. */
  readonly cache_settle_ms: number;
}

const DEFAULT_PREFIX = 'haivemind:';
const PROBE_TTL_MS = 1000;
const TAKE = defineScript(NOW_US_LUA + GCRA_LUA);

/**
 * Resolves after the first attempt to connect, whether or not it succeeded: Redis away at the start is like Redis away
 * later. Rejects with `config_invalid` where the URL is none. While away every call is answered at once by the
 * fallback; what that means: events reach this process only (others are told of a gap when it is back), limits count
 * for this process only and begin anew, leases are those of the store, the cache misses, members are this one.
 */
export async function createRedisCoordination(options: RedisCoordinationOptions): Promise<Coordination> {
  const { fallback, member_id, prefix = DEFAULT_PREFIX } = options;
  const target = readRedisSettings(options);
  const timing = { ...defaultTiming, cache_settle_ms: limits.shared_cache_settle_ms, ...options.timing };
  const links = createLinks(timing.cache_settle_ms);
  const { use } = links;
  const cache = createRedisCache({
    prefix,
    link: () => links.commands,
    run_id: () => links.facts?.run_id ?? '',
    settled: links.settled,
    fallback: fallback.cache,
  });
  const events = createEvents({ prefix, member_id, fallback, use });
  const presence = createPresence({ ...options, prefix, use });
  const state = createState({ links, place: target.place, probe, notify: options.onStateChange });

  function create(role: string, lost: (cause: unknown) => void): RedisConnection {
    const client = newRedisClient(target, `haivemind-${role}`);
    client.on('error', lost);
    return client;
  }
  async function probe(client: RedisConnection): Promise<void> {
    await client.set(`${prefix}probe`, member_id, { expiration: { type: 'PX', value: PROBE_TTL_MS } });
  }

  const common = {
    timing,
    ping: (client: RedisConnection) => client.ping(),
    destroy: (client: RedisConnection) => client.destroy(),
    onUp: state.changed,
  };
  const [commands, subscriber] = await Promise.all([
    openLink<RedisConnection>({
      ...common,
      create: (lost) => create('commands', lost),
      async prepare(client) {
        await client.connect();
        links.meet(await askServer(client));
        await probe(client);
        await presence.refresh(client);
      },
      remaining: (client) => cache.catchUp(client) ?? events.catchUp(client),
      onDown() {
        cache.lost();
        state.changed();
      },
    }),
    openLink<RedisConnection>({
      ...common,
      create: (lost) => create('events', lost),
      async prepare(client) {
        await client.connect();
        await client.subscribe(events.channel, events.receive);
      },
      onUp() {
        events.gap();
        state.changed();
      },
      onDown: state.changed,
    }),
  ]);
  links.commands = commands;
  links.subscriber = subscriber;
  state.start();

  return {
    member_id,
    acquire: createRedisLeases({ prefix, use, store: fallback }).acquire,
    publish: events.publish,
    subscribe: fallback.subscribe,
    onGap: events.onGap,
    take: (key, limit) => takeFrom(use, `${prefix}rate:${key}`, limit).catch(() => fallback.take(key, limit)),
    announce: presence.announce,
    members: () => use((client) => listMembers(client, prefix)).catch(() => fallback.members()),
    cache,
    status: state.read,
    async [Symbol.asyncDispose]() {
      state.stop();
      await presence.leave();
      commands.close();
      subscriber.close();
      await fallback[Symbol.asyncDispose]();
    },
  };
}

async function takeFrom(use: Use, key: string, limit: RateLimit): Promise<RateVerdict> {
  const { interval_us, tolerance_us } = gcraTerms(limit);
  const [allowed, remaining_count, retry_after_ms] = await use((client) =>
    runScript<[number, number, number]>(client, TAKE, [key], [interval_us, tolerance_us]),
  );
  return { allowed: allowed === 1, remaining_count, retry_after_ms };
}

interface EventDeps {
  readonly prefix: string;
  readonly member_id: string;
  readonly fallback: Coordination;
  readonly use: Use;
}

/** All events go through one Redis channel: a listener added a moment ago misses nothing while Redis learns of it. */
function createEvents({ prefix, member_id, fallback, use }: EventDeps) {
  const channel = `${prefix}events`;
  const gaps = createGaps();
  let untold = false;
  return {
    channel,
    gap: gaps.tell,
    onGap: gaps.add,
    receive(text: string): void {
      const envelope = decodeEnvelope(text);
      if (!envelope || envelope.from === member_id) return;
      if ('gap' in envelope) gaps.tell();
      else void fallback.publish(envelope.channel, envelope.message);
    },
    async publish(name: string, message: string): Promise<void> {
      await fallback.publish(name, message);
      const text = encodeEvent({ from: member_id, channel: name, message });
      await use((client) => client.publish(channel, text)).catch(() => {
        untold = true;
      });
    },
    /** Others have missed what this process said while away. */
    catchUp(client: RedisConnection): Promise<void> | undefined {
      if (!untold) return undefined;
      untold = false;
      return client.publish(channel, encodeGap(member_id)).then(
        () => {},
        (error: unknown) => {
          untold = true;
          throw error;
        },
      );
    },
  };
}
