// Many processes claim from one queue at the same moment: everything is claimed, nothing twice, and nobody waits for ever.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, startPostgres, startRedis } from '../scripts/engines/index.ts';
import { ensureBuilt, makePlace } from './cli-binary.ts';
import { describeEngine } from './engines/suites.ts';
import { startFleet } from './support/hub-fleet.ts';
import type { Ask } from './support/ledger.ts';
import { killLeftovers } from './support/mcp-process.ts';
import { stdioMember } from './support/multi-process.ts';

const CLAIMERS = 12;
const TASKS = 100;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
beforeAll(ensureBuilt);

interface Claimed {
  readonly task_id: string;
  readonly fencing_token: number;
  readonly claimer: number;
}

/** Everybody claims until there is nothing left for them. */
async function claimAll(claimers: readonly Ask[]): Promise<{ claims: Claimed[]; took_s: number }> {
  const started_ms = performance.now();
  const each = await Promise.all(
    claimers.map(async (ask, claimer) => {
      const claims: Claimed[] = [];
      for (;;) {
        const { task, fencing_token } = await ask('claim_next', {});
        if (task === null) return claims;
        claims.push({ ...(task as { task_id: string }), fencing_token: Number(fencing_token), claimer });
      }
    }),
  );
  return { claims: each.flat(), took_s: (performance.now() - started_ms) / 1000 };
}

async function expectEachOnce(where: string, claimers: readonly Ask[]): Promise<void> {
  const [first] = claimers;
  if (!first) throw new Error('Nobody claims.');
  const made: string[] = [];
  for (let i = 0; i < TASKS; i++) {
    const { task } = await first('create_kanban_task', { title: `Task ${i}`, related_limit: 0 });
    made.push((task as { task_id: string }).task_id);
  }
  const { claims, took_s } = await claimAll(claimers);
  expect(claims).toHaveLength(TASKS);
  expect(claims.map(({ task_id }) => task_id).toSorted()).toEqual(made.toSorted());
  expect(new Set(claims.map(({ fencing_token }) => fencing_token))).toEqual(new Set([1]));
  // Each is its claimer's: its token counts.
  for (const { task_id, fencing_token, claimer } of claims.slice(0, CLAIMERS)) {
    const done = await claimers[claimer]?.('update_kanban_task', { task_id, fencing_token, status: 'done' });
    expect(done?.task).toMatchObject({ status: 'done' });
  }
  const sharing = new Set(claims.map(({ claimer }) => claimer)).size;
  console.log(`${where}: ${Math.round(TASKS / took_s)} claims/s, ${sharing} of ${claimers.length} claimers got some`);
}

/** Stdio processes, each with the store open for itself. */
async function startClaimers(env: NodeJS.ProcessEnv = {}): Promise<Ask[]> {
  const place = makePlace();
  closing.push(() => place.remove(), killLeftovers);
  mkdirSync(place.data_dir, { recursive: true });
  const storage = { embedding: { provider: 'none' }, postgres: { pool_max_count: 2 } };
  writeFileSync(join(place.data_dir, 'config.json'), JSON.stringify({ storage }));
  const own = { ...place, env: { ...place.env, ...env } };
  const claimers: Ask[] = [];
  // One after the other: together they would fight for the processor, and the first one makes the tables.
  for (let i = 0; i < CLAIMERS; i++) claimers.push((await stdioMember(own, `claimer ${i}`)).ask);
  return claimers;
}

describe(`${CLAIMERS} processes and ${TASKS} ready tasks`, () => {
  it('on one data directory: each task is claimed once', async () => {
    await expectEachOnce('SQLite', await startClaimers());
  });

  describeEngine('postgres', () => {
    it('on one PostgreSQL: each task is claimed once', async () => {
      const postgres = await startPostgres();
      closing.push(() => postgres.stop());
      const { url } = await freshDatabase(postgres.url);
      await expectEachOnce('PostgreSQL', await startClaimers({ HAIVEMIND_DATABASE_URL: url }));
    });
  });
});

describeEngine(['postgres', 'redis'], () => {
  it('two hubs compete over MCP: each task is claimed once', async () => {
    const postgres = await startPostgres();
    closing.push(() => postgres.stop());
    const redis = await startRedis();
    closing.push(() => redis.stop());
    const { url } = await freshDatabase(postgres.url);
    const fleet = await startFleet({ count: 2, database_url: url, redis_url: redis.url, drain_ms: 0 });
    closing.push(async () => fleet[Symbol.asyncDispose]());
    const claimers: Ask[] = [];
    for (let i = 0; i < CLAIMERS; i++) claimers.push(await connect(fleet.hubs[i % 2]?.url ?? '', i));
    await expectEachOnce('two hubs on PostgreSQL and Redis', claimers);
  });
});

async function connect(url: string, number: number): Promise<Ask> {
  const client = new Client(
    { name: `claimer-${number}`, version: '1' },
    { versionNegotiation: { mode: number % 4 < 2 ? 'legacy' : { pin: '2026-07-28' } } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));
  closing.push(() => client.close());
  return async (name, input) => {
    const { isError, structuredContent } = await client.callTool({ name, arguments: { ...input } });
    if (isError) throw new Error(`${name}: ${JSON.stringify(structuredContent)}`);
    return structuredContent as Record<string, unknown>;
  };
}
