// Health: what this process needs, checked for real, each with its fix.
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sql } from 'kysely';
import type { MemoryDomain } from '../domains/memory/index.ts';
import { toErrorBody } from '../kernel/errors.ts';
import type { Coordination } from '../storage/coordination/port.ts';
import type { Database } from '../storage/database.ts';
import type { Embedder } from '../storage/embedding/port.ts';
import type { HealthCheck, HealthReport } from '../surfaces/runtime.ts';
import { coordinationCheck } from './coordination.ts';
import { vectorIndexChecks } from './vector-index.ts';

const DISK_FREE_MIN_BYTES = 200 * 1024 * 1024;
const QUEUE_DEPTH_WARN = 5_000;

export interface HealthDeps {
  readonly version: string;
  readonly store: Database;
  readonly embedder: Embedder;
  readonly memory: MemoryDomain;
  readonly coordination: Coordination;
}

export function createHealth(deps: HealthDeps): () => Promise<HealthReport> {
  const started_ms = performance.now();
  return async () => {
    const { store, memory, coordination } = deps;
    const { file } = store.engine;
    // Side by side and each in time: an engine that is away must not hide what is wrong behind a time-out.
    const checks = (
      await Promise.all([
        inTime(
          'store',
          async () => [await storeCheck(store)],
          `${ENGINES[store.engine.kind]} at ${store.engine.place} gives`,
        ),
        inTime('disk', async () => (file === undefined ? [] : [await diskCheck(file)])),
        [embeddingCheck(deps)],
        inTime('vectors', async () => [await queueCheck(memory)]),
        inTime('vector index', () => vectorIndexChecks(memory)),
        inTime('coordination', async () => [await coordinationCheck(coordination)]),
      ])
    ).flat();
    const failed = checks.some((check) => check.status === 'failed');
    const degraded = checks.some((check) => check.status === 'degraded');
    return {
      status: failed ? 'failed' : degraded ? 'degraded' : 'ok',
      version: deps.version,
      machine_id: deps.store.machine_id,
      uptime_seconds: Math.round((performance.now() - started_ms) / 1000),
      checks,
    };
  };
}

const CHECK_MAX_MS = 3_000;

/** What a check found, or that it did not come to an end. Never rejects. */
async function inTime(
  name: string,
  check: () => Promise<readonly HealthCheck[]>,
  who = 'there is',
): Promise<readonly HealthCheck[]> {
  const late = Promise.withResolvers<readonly HealthCheck[]>();
  const timer = setTimeout(() => late.resolve([lateCheck(name, who)]), CHECK_MAX_MS);
  try {
    return await Promise.race([check(), late.promise]);
  } catch (error) {
    const body = toErrorBody(error);
    return [{ name, status: 'failed', detail: body.message, fix: body.hint }];
  } finally {
    clearTimeout(timer);
  }
}

function lateCheck(name: string, who: string): HealthCheck {
  const detail = `${who} no answer in ${CHECK_MAX_MS} ms`;
  if (name === 'store') return { name, status: 'failed', detail, fix: 'Start it, or look why it does not answer.' };
  return { name, status: 'degraded', detail, fix: 'Start what it needs, or look why it does not answer.' };
}

const ENGINES = { sqlite: 'SQLite', postgres: 'PostgreSQL' } as const;

/** Whether the store answers, which version of which engine it is, and how fast. */
export async function storeCheck(store: Database): Promise<HealthCheck> {
  const name = 'store';
  try {
    const asked_ms = performance.now();
    await sql`select 1 from changes limit 1`.execute(store.db);
    const latency = `${(performance.now() - asked_ms).toFixed(1)} ms`;
    const { kind, place } = store.engine;
    return {
      name,
      status: 'ok',
      detail: `${ENGINES[kind]} ${await store.engine.version()} at ${place} answers in ${latency}`,
    };
  } catch (error) {
    const body = toErrorBody(error);
    return { name, status: 'failed', detail: body.message, fix: body.hint };
  }
}

async function diskCheck(file: string): Promise<HealthCheck> {
  const { bavail, bsize } = await statfs(dirname(file));
  const free_bytes = bavail * bsize;
  const detail = `${Math.round(free_bytes / 1024 / 1024)} MiB free`;
  if (free_bytes >= DISK_FREE_MIN_BYTES) return { name: 'disk', status: 'ok', detail };
  return { name: 'disk', status: 'degraded', detail, fix: `Free space on the disk of ${dirname(file)}.` };
}

function embeddingCheck({ embedder, memory }: HealthDeps): HealthCheck {
  const name = 'embedding';
  const trouble = memory.trouble();
  if (trouble)
    return { name, status: 'degraded', detail: `${trouble.message} Searches use words alone.`, fix: trouble.hint };
  const detail = embedder.status().loaded ? `${embedder.id} loaded` : `${embedder.id} loads with the first search`;
  return { name, status: 'ok', detail };
}

async function queueCheck(memory: MemoryDomain): Promise<HealthCheck> {
  const depth = await memory.queueDepth();
  const detail = `${depth} memories wait for their vector, ${memory.vectors.size()} in the index`;
  if (depth < QUEUE_DEPTH_WARN) return { name: 'vectors', status: 'ok', detail };
  return {
    name: 'vectors',
    status: 'degraded',
    detail,
    fix: 'They are found by words meanwhile; the queue empties by itself at some hundred a second.',
  };
}
