// Several hubs as processes on one PostgreSQL with Redis and Chroma, behind a small balancer, for tests that break them.
import { setTimeout as pause } from 'node:timers/promises';
import {
  type ChromaServer,
  freshDatabase,
  type PostgresServer,
  type RedisServer,
  startChroma,
  startPostgres,
  startRedis,
} from '../../scripts/engines/index.ts';
import { ensureBuilt, makePlace, type Place, type Ran, type RunningServer } from '../cli-binary.ts';

export interface Hub {
  readonly name: string;
  readonly url: string;
  /** False from the moment its process is gone: the balancer sends nothing more there. */
  serving: boolean;
  kill(): Promise<void>;
}

export interface Cluster extends AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer | undefined;
  readonly chroma: ChromaServer | undefined;
  readonly database_url: string;
  readonly hubs: readonly Hub[];
  /** The next hub in turn that serves. */
  next(): Hub;
  /** Starts the hub that was killed again, as a supervisor would: under its name, on its data directory. */
  revive(hub: Hub): Promise<void>;
  /** `GET /health` of a hub; undefined where it does not answer. */
  health(hub: Hub): Promise<Health | undefined>;
  /** Runs a command as another process of the same store. */
  run(args: readonly string[]): Promise<Ran>;
}

export interface Health {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly status: string; readonly fix?: string }[];
}

export interface ClusterOptions {
  readonly hubs: number;
  readonly redis: boolean;
  readonly chroma: boolean;
}

/** Every server and process of it belongs to this test and is ended with it. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  ensureBuilt();
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startPostgres());
  const redis = options.redis ? stack.use(await startRedis()) : undefined;
  const chroma = options.chroma ? stack.use(await startChroma()) : undefined;
  const database = await freshDatabase(postgres.url);
  const env: NodeJS.ProcessEnv = {
    HAIVEMIND_DATABASE_URL: database.url,
    ...(redis ? { HAIVEMIND_REDIS_URL: redis.url } : {}),
    ...(chroma ? { HAIVEMIND_CHROMA_URL: chroma.url } : {}),
  };
  const place = (): Place => {
    const made = makePlace();
    stack.defer(() => made.remove());
    return made;
  };
  const members = await Promise.all(
    Array.from({ length: options.hubs }, (_, i) => startMember(place(), env, `hub-${i + 1}`)),
  );
  const commands = place();
  const owned = stack.move();
  let turn = 0;
  return {
    postgres,
    redis,
    chroma,
    database_url: database.url,
    hubs: members.map(({ hub }) => hub),
    next() {
      const serving = members.filter(({ hub }) => hub.serving);
      const found = serving[turn++ % serving.length];
      if (!found) throw new Error('no hub serves');
      return found.hub;
    },
    async revive(hub) {
      await members.find((member) => member.hub === hub)?.start();
    },
    health: healthOf,
    run: (args) => commands.run(args, { env: { ...env, HAIVEMIND_MACHINE_ID: 'shell' } }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startMember(place: Place, shared: NodeJS.ProcessEnv, name: string) {
  let server: RunningServer;
  const start = async (): Promise<void> => {
    server = await place.serve(['serve'], { ...shared, HAIVEMIND_MACHINE_ID: name });
    hub.serving = true;
  };
  const hub = {
    name,
    serving: false,
    get url() {
      return server.listening.url;
    },
    async kill() {
      await server.stop('SIGKILL');
      hub.serving = false;
    },
  };
  await start();
  return { hub, start };
}

async function healthOf(hub: Hub): Promise<Health | undefined> {
  try {
    const answer = await fetch(`${hub.url}/health`, { signal: AbortSignal.timeout(15_000) });
    return (await answer.json()) as Health;
  } catch {
    return undefined;
  }
}

/** Looks again and again until it is so; rejects at the deadline with what was seen last. */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  isSo: (seen: T) => boolean,
  deadline_ms = 60_000,
): Promise<T> {
  const end_ms = performance.now() + deadline_ms;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (performance.now() > end_ms) throw new Error(`${what}: not within ${deadline_ms} ms; ${JSON.stringify(seen)}`);
    await pause(50);
  }
}
