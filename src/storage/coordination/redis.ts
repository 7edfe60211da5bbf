// Coordination on Redis 7 or newer: two connections, one for commands and one for events, and this process alone while away.
import { type Clock, toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import { callListener } from './in-process.ts';
import { type Link, LinkAwayError, type LinkTiming, openLink } from './link.ts';
import type { Coordination, CoordinationStatus, Member, RateLimit, RateVerdict } from './port.ts';
import { GCRA_LUA, gcraTerms } from './rate.ts';
import { createRedisCache } from './redis-cache.ts';
import {
  askServer,
  describeTrouble,
  newRedisClient,
  type RedisConnection,
  type RedisServerFacts,
  type RedisSettings,
  readRedisSettings,
  type Trouble,
} from './redis-connection.ts';
import { createRedisLeases } from './redis-leases.ts';
import { listMembers, sayGone, sayHere } from './redis-presence.ts';
import { defineScript, NOW_US_LUA, runScript } from './redis-script.ts';
import { decodeEnvelope, encodeEvent, encodeGap } from './relay.ts';

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
  readonly timing?: Partial<LinkTiming>;
}

const DEFAULT_PREFIX = 'haivemind:';
const PROBE_TTL_MS = 1000;
const TAKE = defineScript(NOW_US_LUA + GCRA_LUA);

export const defaultTiming: LinkTiming = {
  connect_timeout_ms: limits.coordination_connect_timeout_ms,
  command_timeout_ms: limits.coordination_command_timeout_ms,
  retry_min_ms: limits.coordination_retry_min_ms,
  retry_max_ms: limits.coordination_retry_max_ms,
};

/**
 * Resolves after the first attempt to connect, whether or not it succeeded: Redis away at the start is like Redis away
 * later. Rejects with `config_invalid` where the URL is none. While away every call is answered at once by the
 * fallback; what that means: events reach this process only (others are told of a gap when it is back), limits count
 * for this process only and begin anew, leases are those of the store, the cache misses, members are this one.
 */
export async function createRedisCoordination(options: RedisCoordinationOptions): Promise<Coordination> {
  const { fallback, member_id, prefix = DEFAULT_PREFIX } = options;
  const target = readRedisSettings(options);
  const links = createLinks();
  const { use } = links;
  const cache = createRedisCache({
    prefix,
    link: () => links.commands,
    run_id: () => links.facts?.run_id ?? '',
    fallback: fallback.cache,
  });
  const events = createEvents({ prefix, member_id, fallback, use });
  const presence = createPresence({ prefix, member_id, fallback, clock: options.clock, use });
  const state = createState({ links, place: target.place, probe, notify: options.onStateChange });

  function create(role: string, lost: (cause: unknown) => void): RedisConnection {
    const client = newRedisClient(target, `haivemind-${role}`);
    client.on('error', lost);
    return client;
  }
  async function probe(client: RedisConnection): Promise<void> {
    await client.set(`${prefix}probe`, member_id, { expiration: { type: 'PX', value: PROBE_TTL_MS } });
  }

  const timing = { ...defaultTiming, ...options.timing };
  const common = { timing, destroy: (client: RedisConnection) => client.destroy(), onUp: state.changed };
  const [commands, subscriber] = await Promise.all([
    openLink<RedisConnection>({
      ...common,
      create: (lost) => create('commands', lost),
      async prepare(client) {
        await client.connect();
        links.facts = await askServer(client);
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

type Use = <T>(work: (client: RedisConnection) => Promise<T>) => Promise<T>;

interface Links {
  commands: Link<RedisConnection> | undefined;
  subscriber: Link<RedisConnection> | undefined;
  /** Of the server the commands go to. */
  facts: RedisServerFacts | undefined;
  readonly use: Use;
}

function createLinks(): Links {
  const links: Links = {
    commands: undefined,
    subscriber: undefined,
    facts: undefined,
    use: (work) => links.commands?.use(work) ?? Promise.reject(new LinkAwayError()),
  };
  return links;
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
  const gapListeners = new Set<() => void>();
  let untold = false;
  const gap = (): void => {
    for (const listener of [...gapListeners]) callListener(listener);
  };
  return {
    channel,
    gap,
    receive(text: string): void {
      const envelope = decodeEnvelope(text);
      if (!envelope || envelope.from === member_id) return;
      if ('gap' in envelope) gap();
      else void fallback.publish(envelope.channel, envelope.message);
    },
    async publish(name: string, message: string): Promise<void> {
      await fallback.publish(name, message);
      const text = encodeEvent({ from: member_id, channel: name, message });
      await use((client) => client.publish(channel, text)).catch(() => {
        untold = true;
      });
    },
    onGap(listener: () => void): () => void {
      const own = () => listener();
      gapListeners.add(own);
      return () => gapListeners.delete(own);
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

function createPresence(deps: EventDeps & { readonly clock: Clock }) {
  const { prefix, member_id, fallback, clock, use } = deps;
  let self: Member | undefined;
  const refresh = async (client: RedisConnection): Promise<void> => {
    if (self) await sayHere(client, prefix, self, limits.presence_ttl_ms);
  };
  const timer = setInterval(() => void use(refresh).catch(() => {}), limits.presence_refresh_ms);
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

interface StateDeps {
  readonly links: Links;
  readonly place: string;
  readonly probe: (client: RedisConnection) => Promise<void>;
  readonly notify: ((status: CoordinationStatus) => void) | undefined;
}

function createState({ links, place, probe, notify }: StateDeps) {
  let last: CoordinationStatus['state'] | undefined;
  const isUp = () => links.commands?.connection !== undefined && links.subscriber?.connection !== undefined;
  const stateNow = (): CoordinationStatus['state'] => (isUp() ? 'ok' : 'degraded');

  function ok(latency_ms?: number): CoordinationStatus {
    const version = links.facts?.version ?? 'unknown';
    const latency = latency_ms === undefined ? {} : { latency_ms };
    return { kind: 'redis', state: 'ok', detail: `Redis ${version} at ${place}.`, version, ...latency };
  }
  function degraded({ what, fix }: Trouble): CoordinationStatus {
    const detail = `Redis at ${place} ${what}. This process goes on without it: nothing is lost, other hubs learn of changes later, limits count for each hub alone.`;
    return { kind: 'redis', state: 'degraded', detail, fix };
  }
  const away = (): Trouble =>
    describeTrouble(links.commands?.connection ? links.subscriber?.cause : links.commands?.cause);
  const changed = (): void => {
    if (last === undefined || last === stateNow()) return;
    last = stateNow();
    if (notify) callListener(() => notify(last === 'ok' ? ok() : degraded(away())));
  };

  return {
    changed,
    /** From here on changes are told. */
    start(): void {
      last = stateNow();
    },
    stop(): void {
      last = undefined;
    },
    async read(): Promise<CoordinationStatus> {
      if (!isUp()) return degraded(away());
      const started_ms = performance.now();
      try {
        await links.use(probe);
        return ok(performance.now() - started_ms);
      } catch (error) {
        return degraded(describeTrouble(links.commands?.connection ? error : links.commands?.cause));
      }
    },
  };
}
