// What processes of one store share: through Redis where it is configured, through PostgreSQL's notifications where the
// store is there, else within this process, with leases in the store in any case.
import { randomUUID } from 'node:crypto';
import type { LoadedConfig } from '../config/load.ts';
import { createInProcessCoordination } from '../storage/coordination/in-process.ts';
import { createStoreLeases, type StoreLeaseDeps } from '../storage/coordination/leases.ts';
import type { Coordination, CoordinationStatus } from '../storage/coordination/port.ts';
import type { Database } from '../storage/database.ts';
import type { HealthCheck, Log } from '../surfaces/runtime.ts';

/** Never waits long for an engine that is away. Errors: `config_invalid` for settings that can never work. */
export async function openCoordination(
  { engines, machine_id }: LoadedConfig,
  store: Database,
  log: Log,
): Promise<Coordination> {
  const { clock, dialect } = store;
  const member_id = `${machine_id}:${randomUUID()}`;
  const leases = createStoreLeases({
    write: store.write as unknown as StoreLeaseDeps['write'],
    clock,
    member_id,
    ...dialect.clock,
  });
  const fallback = createInProcessCoordination({ leases, clock, member_id });
  const onStateChange = (status: CoordinationStatus): void => {
    const fields = { engine: status.kind, detail: status.detail };
    if (status.state === 'ok') log.info(fields, 'coordination with other processes works again');
    else log.warn(fields, 'coordination with other processes is away; this process goes on alone');
  };
  const { redis, postgres } = engines;
  // Clients of engines are loaded where they are used: they cost a stdio server a fifth of a second.
  if (redis) {
    const { createRedisCoordination } = await import('../storage/coordination/redis.ts');
    // Several stores may share a Redis: what one says of its memories is nothing to the hubs of another.
    const prefix = `${redis.prefix}${store.store_id}:`;
    return createRedisCoordination({ ...redis, prefix, fallback, clock, member_id, onStateChange });
  }
  if (postgres) {
    const { createNotifyCoordination } = await import('../storage/coordination/postgres-notify.ts');
    return createNotifyCoordination({ postgres, fallback, member_id, onStateChange });
  }
  return fallback;
}

/** What `/health` and doctor say of it. */
export async function coordinationCheck(coordination: Coordination): Promise<HealthCheck> {
  const { kind, state, detail, fix, version, latency_ms } = await coordination.status();
  // Only Redis knows who else is there.
  const hubs = kind === 'redis' && state === 'ok' ? await coordination.members() : [];
  const names = hubs.map(({ about, member_id }) => about.machine_id ?? member_id).sort();
  const facts = [
    version === undefined || detail.includes(version) ? '' : `version ${version}`,
    latency_ms === undefined ? '' : `${latency_ms.toFixed(1)} ms`,
    names.length === 0 ? '' : `hubs: ${names.join(', ')}`,
  ].filter((fact) => fact !== '');
  // What the engine says of itself may begin with its name.
  const named = detail.startsWith(NAMES[kind]) ? detail : `${NAMES[kind]}: ${detail}`;
  return {
    name: 'coordination',
    status: state === 'ok' ? 'ok' : 'degraded',
    detail: facts.length === 0 ? named : `${named} ${sentence(facts)}`,
    ...(fix === undefined ? {} : { fix }),
  };
}

function sentence(facts: readonly string[]): string {
  const text = facts.join(', ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

const NAMES = { in_process: 'this process', redis: 'Redis', postgres: 'PostgreSQL notifications' } as const;
