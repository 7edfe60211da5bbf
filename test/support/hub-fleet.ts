// Several `haivemind serve` processes on one store behind a balancer, each with a data directory and machine of its own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePlace, type Place, type RunningServer } from '../cli-binary.ts';
import { type Balancer, startBalancer } from './balancer.ts';

export interface FleetOptions {
  readonly count: number;
  readonly database_url: string;
  readonly redis_url?: string;
  readonly drain_ms: number;
  readonly calls_per_minute?: number;
}

export interface FleetHub {
  readonly url: string;
  readonly machine_id: string;
  /** Sends SIGTERM and resolves when the process is gone. Rejects where it did not end well. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Starts it again at the same address. */
  start(): Promise<void>;
}

export interface Fleet extends AsyncDisposable {
  readonly balancer: Balancer;
  readonly hubs: readonly FleetHub[];
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const balancer = await startBalancer();
  const places: Place[] = [];
  const remove = async (): Promise<void> => {
    await Promise.all(places.map((place) => place.remove()));
    await balancer[Symbol.asyncDispose]();
  };
  try {
    const hubs: FleetHub[] = [];
    // One after the other: together they would fight for the processor, and the first one makes the tables.
    for (let number = 1; number <= options.count; number++) {
      const place = makePlace();
      places.push(place);
      hubs.push(await startFleetHub(place, `machine-${number}`, balancer.port, options));
    }
    balancer.setHubs(hubs.map((hub) => hub.url));
    await balancer.ready(options.count);
    return { balancer, hubs, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function startFleetHub(
  place: Place,
  machine_id: string,
  balancer_port: number,
  { database_url, redis_url, drain_ms, calls_per_minute = 0 }: FleetOptions,
): Promise<FleetHub> {
  const config = {
    remote_server: { allowed_hosts: [`127.0.0.1:${balancer_port}`], drain_ms, calls_per_minute },
    storage: { embedding: { provider: 'none' }, postgres: { pool_max_count: 4 } },
  };
  mkdirSync(place.data_dir, { recursive: true });
  writeFileSync(join(place.data_dir, 'config.json'), JSON.stringify(config));
  const env = {
    HAIVEMIND_DATABASE_URL: database_url,
    HAIVEMIND_MACHINE_ID: machine_id,
    ...(redis_url === undefined ? {} : { HAIVEMIND_REDIS_URL: redis_url }),
  };
  let server: RunningServer = await place.serve(['serve'], env);
  const { url } = server.listening;
  return {
    url,
    machine_id,
    async stop() {
      const { code, stderr } = await server.stop();
      if (code !== 0) throw new Error(`${machine_id} ended with ${code}:\n${stderr}`);
    },
    async kill() {
      await server.stop('SIGKILL');
    },
    async start() {
      server = await place.serve(['serve'], { ...env, HAIVEMIND_PORT: new URL(url).port });
    },
  };
}
