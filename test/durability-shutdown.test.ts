// Ending: by SIGTERM with requests in flight, by closed stdin with vectors unfinished. Nothing acknowledged is lost,
// nothing is left behind.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cliPath, ensureBuilt, makePlace, type Place } from './cli-binary.ts';
import type { Ask } from './support/ledger.ts';
import { killLeftovers, type McpProcess, PROCESS_GONE, startMcp } from './support/mcp-process.ts';
import { isCut, restAsk } from './support/rest-ask.ts';
import { type Seeded, seeded, sentence } from './support/seeded.ts';
import { checkStore } from './support/store-check.ts';

const IN_FLIGHT = 40;

let place: Place;
let random: Seeded;

beforeAll(ensureBuilt);
beforeEach(() => {
  place = makePlace();
  random = seeded();
});
afterEach(async () => {
  await killLeftovers();
  await place.remove();
});

const start = (): Promise<McpProcess> => startMcp({ cli: cliPath, env: place.env, cwd: place.home });

/** Sends writes at once and calls back at the first answer. Returns the ids that were acknowledged. */
async function manyStores(ask: Ask, onFirst: () => void, isLost: (error: unknown) => boolean): Promise<string[]> {
  const ids: string[] = [];
  const stores = Array.from({ length: IN_FLIGHT }, async () => {
    try {
      const { memory_id } = await ask('store_memory', {
        content: sentence(random, random.word()),
        category: 'project',
      });
      if (ids.push(String(memory_id)) === 1) onFirst();
    } catch (error) {
      if (!isLost(error)) throw error;
    }
  });
  await Promise.all(stores);
  return ids;
}

async function expectStored(ids: readonly string[]): Promise<void> {
  expect(checkStore(place.data_dir).problems).toEqual([]);
  const next = await start();
  for (const memory_id of ids) await next.ask('retrieve_memory', { memory_id });
  await next.endInput();
}

/** Only the store: no socket, no hub.json, no write-ahead log that somebody would have to recover. */
function expectNothingLeft(): void {
  expect(readdirSync(place.data_dir)).toEqual(['haivemind.db']);
}

describe('SIGTERM with requests in flight', () => {
  it('ends the hub after it answered what it stored', async () => {
    const hub = await place.serve(['up']);
    expect(existsSync(join(place.data_dir, 'hub.json'))).toBe(true);
    const stopped = Promise.withResolvers<{ code: number | null; stderr: string }>();
    const ids = await manyStores(
      restAsk(hub.listening.url),
      () => void hub.stop('SIGTERM').then(stopped.resolve, stopped.reject),
      // What it no longer takes it refuses, or does not hear.
      (error) => isCut(error) || String(error).includes('The server is stopping'),
    );
    expect(await stopped.promise).toMatchObject({ code: 0, stderr: '' });
    expectNothingLeft();
    await expectStored(ids);
  });

  it('ends the hub with proxies connected, whose clients go on', async () => {
    const hub = await place.serve(['serve']);
    const proxied = await start();
    const stopped = Promise.withResolvers<{ code: number | null; stderr: string }>();
    const ids = await manyStores(
      proxied.ask,
      () => void hub.stop('SIGTERM').then(stopped.resolve, stopped.reject),
      (error) => /went away|shut|closed/i.test(String(error)),
    );
    expect(await stopped.promise).toMatchObject({ code: 0 });
    await proxied.ask('search_memories', { query: 'still here' });
    expect((await proxied.endInput()).code).toBe(0);
    expectNothingLeft();
    await expectStored(ids);
  });

  it('ends a stdio process', async () => {
    const mcp = await start();
    const ids = await manyStores(
      mcp.ask,
      () => mcp.child.kill('SIGTERM'),
      (error) => String(error).includes(PROCESS_GONE),
    );
    expect((await mcp.gone).code).toBe(0);
    expectNothingLeft();
    await expectStored(ids);
  });
});

describe('closed stdin', () => {
  it('answers what was asked before it and ends', async () => {
    const mcp = await start();
    const answers = Promise.all(
      Array.from({ length: IN_FLIGHT }, () =>
        mcp.ask('store_memory', { content: sentence(random, random.word()), category: 'project' }),
      ),
    );
    const ended = mcp.endInput();
    const ids = (await answers).map(({ memory_id }) => String(memory_id));
    expect(await ended).toMatchObject({ code: 0, signal: null });
    expect(new Set(ids).size).toBe(IN_FLIGHT);
    expectNothingLeft();
    await expectStored(ids);
  });

  it('gives unfinished vectors back instead of making them first', async () => {
    const mcp = await start();
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) {
      const content = Array.from({ length: 400 }, () => sentence(random, random.word()))
        .join('. ')
        .slice(0, 60_000);
      ids.push(String((await mcp.ask('store_memory', { content, category: 'project' })).memory_id));
    }
    expect((await mcp.endInput()).code).toBe(0);
    const db = new DatabaseSync(join(place.data_dir, 'haivemind.db'));
    const waiting = db.prepare('select claimed_until from memory_vector_queue').all();
    db.close();
    // Eight texts of a hundred chunks each take far longer than the process had.
    expect(waiting.length).toBeGreaterThan(0);
    expect(new Set(waiting.map(({ claimed_until }) => claimed_until))).toEqual(new Set([0]));
    expectNothingLeft();
    await expectStored(ids);
  });
});
