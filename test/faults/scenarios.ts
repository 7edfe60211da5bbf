// Faults made while clients work, each with what may be seen of it and when.
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Seeded } from '../support/seeded.ts';
import type { Failed } from './callers.ts';
import { type Cluster, type Hub, until } from './cluster.ts';
import type { Load } from './load.ts';

export interface Pace {
  /** Writes acknowledged before, during and after a fault. */
  readonly writes: number;
  /** How long an engine stays away at least. */
  readonly away_ms: number;
}

/** After PostgreSQL is ready again a call may still fail for this long. */
const RECOVERY_MS = 10_000;

/** Redis is killed and comes back: nobody notices but health. */
export async function redisAway(cluster: Cluster, load: Load, pace: Pace): Promise<void> {
  const { redis } = cluster;
  if (!redis) throw new Error('a cluster without Redis');
  await load.more(pace.writes);
  const failed = sinceNow(load);
  await redis.kill();
  await Promise.all([untilCheck(cluster, 'coordination', 'degraded'), load.more(pace.writes), pause(pace.away_ms)]);
  await redis.restart();
  await Promise.all([untilCheck(cluster, 'coordination', 'ok'), load.more(pace.writes)]);
  expect(failed().map(briefly)).toEqual([]);
}

/** Chroma is killed and comes back: writes are acknowledged as ever, searches are answered by words and say so. */
export async function chromaAway(cluster: Cluster, load: Load, pace: Pace): Promise<void> {
  const { chroma } = cluster;
  if (!chroma) throw new Error('a cluster without Chroma');
  await load.more(pace.writes);
  const failed = sinceNow(load);
  await chroma.kill();
  const noticed = load.searched.noticed;
  await Promise.all([
    untilCheck(cluster, 'vector index', 'degraded'),
    until(
      'searches say that they use words alone',
      () => load.searched.noticed,
      (now) => now > noticed + 2,
    ),
    load.more(pace.writes),
    pause(pace.away_ms),
  ]);
  await chroma.restart();
  await untilCheck(cluster, 'vector index', 'ok');
  const hybrid = load.searched.hybrid;
  await until(
    'searches use meaning again',
    () => load.searched.hybrid,
    (now) => now > hybrid,
  );
  expect(failed().map(briefly)).toEqual([]);
}

/** PostgreSQL is restarted in good order, or killed: calls may fail as `unavailable`, until soon after it is back. */
export async function postgresAway(cluster: Cluster, load: Load, pace: Pace, how: 'stop' | 'kill'): Promise<void> {
  await load.more(pace.writes);
  const failed = sinceNow(load);
  const from_ms = performance.now();
  if (how === 'kill') {
    await cluster.postgres.kill();
    await pause(pace.away_ms);
  }
  await cluster.postgres.restart();
  const until_ms = performance.now() + RECOVERY_MS;
  await load.more(pace.writes);
  await until('all hubs are ready', () => allReady(cluster), Boolean);
  expect(outside(failed(), from_ms, until_ms)).toEqual([]);
}

/**
 * A hub is killed and started again: only calls that were under way there fail. Chroma before 1.0.13 takes no more changes
 * where that cut a write of the hub: health says so and what to do, and that is done.
 */
export async function hubKilled(cluster: Cluster, load: Load, pace: Pace, victim: Hub): Promise<void> {
  await load.more(pace.writes);
  const failed = sinceNow(load);
  await victim.kill();
  const gone_at_ms = performance.now();
  await load.more(pace.writes);
  await cluster.revive(victim);
  await load.more(pace.writes);
  await restartChromaWhereAsked(cluster);
  const wasThere = (call: Failed) => call.code === 'cut' && call.hub === victim && call.began_at_ms <= gone_at_ms;
  expect(
    failed()
      .filter((call) => !wasThere(call))
      .map(briefly),
  ).toEqual([]);
}

async function restartChromaWhereAsked(cluster: Cluster): Promise<void> {
  const asked = await Promise.all(
    cluster.hubs.map(async (hub) => {
      const check = (await cluster.health(hub))?.checks.find(({ name }) => name === 'vector index');
      return check?.fix?.startsWith('Restart Chroma') ?? false;
    }),
  );
  if (!asked.includes(true)) return;
  await cluster.chroma?.restart();
  await untilCheck(cluster, 'vector index', 'ok');
}

/** All engines are killed one after the other while the others are still away, and come back in another order. */
export async function allAway(cluster: Cluster, load: Load, pace: Pace, random: Seeded): Promise<void> {
  const { redis, chroma, postgres } = cluster;
  if (!redis || !chroma) throw new Error('a cluster without Redis or Chroma');
  await load.more(pace.writes);
  const failed = sinceNow(load);
  const from_ms = performance.now();
  for (const engine of shuffled(random, [redis, chroma, postgres])) {
    await engine.kill();
    await pause(random.below(pace.away_ms));
  }
  for (const engine of shuffled(random, [redis, chroma, postgres])) {
    await engine.restart();
    await pause(random.below(pace.away_ms));
  }
  const until_ms = performance.now() + RECOVERY_MS;
  await load.more(pace.writes);
  await Promise.all([untilCheck(cluster, 'coordination', 'ok'), untilCheck(cluster, 'vector index', 'ok')]);
  expect(outside(failed(), from_ms, until_ms)).toEqual([]);
}

/** Failures that may not be: of another kind, or when PostgreSQL was there for long enough. */
function outside(failed: readonly Failed[], from_ms: number, until_ms: number): string[] {
  const inWindow = (call: Failed) =>
    call.code === 'unavailable' && call.ended_at_ms >= from_ms && call.ended_at_ms <= until_ms;
  return failed.filter((call) => !inWindow(call)).map(briefly);
}

function shuffled<T>(random: Seeded, items: readonly T[]): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.below(rest.length), 1)[0] as T);
}

function sinceNow(load: Load): () => readonly Failed[] {
  const before = load.failures.length;
  return () => load.failures.slice(before);
}

function briefly({ code, message, tool, hub, began_at_ms, ended_at_ms }: Failed): string {
  return `${tool} at ${hub.name} after ${Math.round(ended_at_ms - began_at_ms)} ms: ${code} ${message}`;
}

/** Each hub says so of itself; what is not well comes with its fix. */
async function untilCheck(cluster: Cluster, name: string, status: 'ok' | 'degraded'): Promise<void> {
  for (const hub of cluster.hubs) {
    const seen = await until(
      `${name} is ${status} at ${hub.name}`,
      async () => (await cluster.health(hub))?.checks.find((check) => check.name === name),
      (check) => check?.status === status,
    );
    if (status !== 'ok') expect(seen?.fix).toBeTruthy();
  }
}

async function allReady(cluster: Cluster): Promise<boolean> {
  const answers = await Promise.all(cluster.hubs.map((hub) => fetch(`${hub.url}/health/ready`)));
  return answers.every((answer) => answer.ok);
}
