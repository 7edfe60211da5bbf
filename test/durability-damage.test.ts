// A store that is damaged or from a newer program, and a model that is: clear errors, and the data left as it was.
import {
  closeSync,
  copyFileSync,
  cpSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cliPath, ensureBuilt, makePlace, type Place } from './cli-binary.ts';
import { expectErrorCode, expectPlainError, runMcp } from './support/failed-start.ts';
import { startHub } from './support/hub-process.ts';
import { searched } from './support/ledger.ts';
import { killLeftovers, type McpProcess, type McpProcessOptions, startMcp } from './support/mcp-process.ts';
import { type Seeded, seeded, sentence } from './support/seeded.ts';
import { copyInstall, type Install, snapshot } from './support/snapshot.ts';
import { checkStore, queuedCount } from './support/store-check.ts';

const NEWER_SCHEMA = 1_000_000;
const PAGE_BYTES = 4096;

let place: Place;
let random: Seeded;
let file: string;

beforeAll(ensureBuilt);
beforeEach(() => {
  place = makePlace();
  random = seeded();
  file = join(place.data_dir, 'haivemind.db');
});
afterEach(async () => {
  await killLeftovers();
  await place.remove();
});

const options = (data_dir = place.data_dir): McpProcessOptions => ({
  cli: cliPath,
  env: { ...place.env, HAIVEMIND_DATA_DIR: data_dir },
  cwd: place.home,
});

/** Memories stored one after another, so that their order is known. */
async function storeSome(mcp: McpProcess, count: number): Promise<{ memory_id: string; token: string }[]> {
  const stored: { memory_id: string; token: string }[] = [];
  for (let i = 0; i < count; i++) {
    const token = random.word();
    const content = Array.from({ length: 8 }, () => sentence(random, token)).join('. ');
    const { memory_id } = await mcp.ask('store_memory', { content, category: 'project' });
    stored.push({ memory_id: String(memory_id), token });
  }
  return stored;
}

/** What a process that was killed leaves: the file and a write-ahead log that nobody has merged into it. */
async function killedAfter(count: number): Promise<{ memory_id: string; token: string }[]> {
  const mcp = await startMcp(options());
  const stored = await storeSome(mcp, count);
  await mcp.signal('SIGKILL');
  return stored;
}

async function expectRefused(code: string, message: RegExp): Promise<void> {
  const before = snapshot(place.data_dir);
  expectPlainError(await runMcp(options()), message);
  expectPlainError(await place.run(['search', 'anything']), message);
  expectErrorCode(await place.run(['store', 'anything', '--json']), code);
  expectPlainError(await place.run(['serve']), message);
  expect(snapshot(place.data_dir)).toEqual(before);
}

describe('a store of a newer program', () => {
  it('is refused and not touched', async () => {
    await place.run(['store', 'From the present.']);
    const db = new DatabaseSync(file);
    db.exec(`pragma user_version = ${NEWER_SCHEMA}`);
    db.close();
    await expectRefused('storage_too_new', /schema 1000000/);
  });

  it('is refused and not touched where that program was killed', async () => {
    await place.run(['store', 'From the present.']);
    const there = makePlace();
    try {
      const db = new DatabaseSync(file);
      db.exec(`pragma journal_mode = wal; pragma user_version = ${NEWER_SCHEMA}`);
      cpSync(place.data_dir, there.data_dir, { recursive: true });
      db.close();
      const before = snapshot(there.data_dir);
      expect(Object.keys(before)).toEqual(['haivemind.db', 'haivemind.db-wal']);
      expectPlainError(await runMcp(options(there.data_dir)), /schema 1000000/);
      expect(snapshot(there.data_dir)).toEqual(before);
    } finally {
      await there.remove();
    }
  });
});

describe('a damaged store', () => {
  it.each([
    ['header', () => overwrite(file, 0, 64)],
    ['first page', () => overwrite(file, 100, PAGE_BYTES - 100)],
    ['whole, by another file', () => writeFileSync(file, 'This is not a database. '.repeat(500))],
    ['length', () => truncateSync(file, Math.floor(statSync(file).size / 2 / PAGE_BYTES) * PAGE_BYTES)],
  ])('in its %s is refused and not touched', async (_where, damage) => {
    const mcp = await startMcp(options());
    await storeSome(mcp, 20);
    await mcp.endInput();
    damage();
    await expectRefused('storage_corrupt', /damaged/);
  });

  it('in the middle says so where it is met, and serves what is whole', async () => {
    const mcp = await startMcp(options());
    const stored = await storeSome(mcp, 200);
    await mcp.endInput();
    const page = pageOf('memories');
    overwrite(file, page * PAGE_BYTES, PAGE_BYTES);
    const damaged = readFileSync(file).subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);

    const next = await startMcp(options());
    const answers = await Promise.all(stored.map(({ memory_id }) => next.call('retrieve_memory', { memory_id })));
    const failed = answers.filter(({ isError }) => isError);
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.length).toBeLessThan(stored.length);
    for (const { output } of failed)
      expect(output).toMatchObject({ code: 'storage_corrupt', hint: expect.stringContaining('restore') });
    await next.endInput();

    const copy = join(place.home, 'copy.db');
    expectErrorCode(await place.run(['backup', copy, '--json']), 'storage_corrupt');
    expect(() => statSync(copy)).toThrow('ENOENT');
    expect(readFileSync(file).subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)).toEqual(damaged);
  });

  it('in its full-text index says so too, and retrieval by id goes on', async () => {
    const mcp = await startMcp(options());
    const stored = await storeSome(mcp, 200);
    await mcp.endInput();
    const db = new DatabaseSync(file, { readOnly: true });
    const blocks = db.prepare('select block from memory_fts_data where id > 10').all() as { block: Uint8Array }[];
    db.close();
    const image = readFileSync(file);
    // The beginnings of the index's own pages; large blocks lie in one piece at least that far.
    for (const { block } of blocks) {
      const at = block.length > 64 ? image.indexOf(Buffer.from(block.subarray(0, 64))) : -1;
      if (at > 0) overwrite(file, at, 64);
    }
    const next = await startMcp(options());
    await next.ask('retrieve_memory', { memory_id: stored[0]?.memory_id });
    const searches = await Promise.all(
      stored.map(({ token }) => next.call('search_memories', { query: token, semantic: false })),
    );
    const failed = searches.filter(({ isError }) => isError);
    expect(failed.length).toBeGreaterThan(0);
    for (const { output } of failed) expect(output).toMatchObject({ code: 'storage_corrupt' });
    await next.endInput();
  });

  it.each([0.25, 0.5, 0.9])('with a write-ahead log cut at %d keeps what came before the cut', async (share) => {
    const stored = await killedAfter(30);
    const log = `${file}-wal`;
    truncateSync(log, Math.floor(statSync(log).size * share));
    await expectPrefix(stored);
  });

  it('with noise in its write-ahead log keeps what came before it', async () => {
    const stored = await killedAfter(30);
    const log = `${file}-wal`;
    overwrite(log, Math.floor(statSync(log).size / 2), 3 * PAGE_BYTES);
    await expectPrefix(stored);
  });

  it('that was copied without its write-ahead log opens as it was at the last checkpoint', async () => {
    await killedAfter(10);
    rmSync(`${file}-wal`);
    rmSync(`${file}-shm`, { force: true });
    const next = await startMcp(options());
    await next.ask('store_memory', { content: 'It goes on.', category: 'project' });
    await next.endInput();
    expect(checkStore(place.data_dir).problems).toEqual([]);
  });
});

/** Opens the store and finds exactly the first memories of those stored, for some number of them, and no half ones. */
async function expectPrefix(stored: readonly { memory_id: string }[]): Promise<void> {
  const next = await startMcp(options());
  const answers = await Promise.all(stored.map(({ memory_id }) => next.call('retrieve_memory', { memory_id })));
  const there = answers.map(({ isError }) => !isError);
  const kept = there.indexOf(false) < 0 ? there.length : there.indexOf(false);
  expect(there).toEqual(there.map((_, i) => i < kept));
  await next.ask('store_memory', { content: 'It goes on.', category: 'project' });
  await next.endInput();
  expect(checkStore(place.data_dir)).toMatchObject({ problems: [], living: kept + 1 });
}

function overwrite(path: string, from: number, bytes: number): void {
  const handle = openSync(path, 'r+');
  writeSync(handle, Buffer.alloc(bytes, 0xff), 0, bytes, from);
  closeSync(handle);
}

/** Number (from 0) of a leaf page in the middle of a table: found by a text that lies in it. */
function pageOf(table: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare(`select content from ${table} order by row_id`).all() as { content: string }[];
  db.close();
  const text = rows[Math.floor(rows.length / 2)]?.content ?? '';
  const at = readFileSync(file).indexOf(text.slice(0, 80));
  expect(at).toBeGreaterThan(0);
  return Math.floor(at / PAGE_BYTES);
}

describe('a damaged model', () => {
  let install: Install;
  beforeEach(() => {
    install = copyInstall();
  });
  afterEach(async () => {
    await killLeftovers();
    install.remove();
  });

  const model = (name: string): string => join(install.models_dir, name);

  it.each([
    ['model_corrupt', 'a changed model', () => overwrite(model('model_int8.onnx'), 1_000_000, 64)],
    ['model_corrupt', 'half a model', () => truncateSync(model('model_int8.onnx'), 1_000_000)],
    ['model_corrupt', 'a changed tokenizer', () => overwrite(model('tokenizer.json'), 1_000, 64)],
    ['model_missing', 'no model', () => rmSync(model('model_int8.onnx'))],
    ['model_missing', 'no tokenizer', () => rmSync(model('tokenizer.json'))],
  ])('(%s: %s) leaves storing and searching by words at work, and says so', async (code, _what, damage) => {
    damage();
    const mcp = await startMcp({ ...options(), cli: install.cli });
    const stored = await storeSome(mcp, 5);
    for (const { memory_id, token } of stored) {
      expect(await searched(token, mcp.ask)).toEqual([memory_id]);
      const { mode, notice, results } = await mcp.ask('search_memories', { query: token, detail: 'ids' });
      expect(mode).toBe('text');
      expect(notice).toMatch(/model/i);
      expect(results).toMatchObject([{ memory_id }]);
    }
    expect((await mcp.endInput()).code).toBe(0);
    const log = mcp.stderr();
    expect(log).toBe('');
    expect(checkStore(place.data_dir)).toMatchObject({ problems: [], living: 5, queued: 5 });

    const { health, said } = await healthOf(install);
    expect(health.status).toBe('degraded');
    const check = health.checks.find(({ name }) => name === 'embedding');
    expect(check).toMatchObject({ status: 'degraded', fix: expect.stringMatching(/models/) });
    expect(said).toContain(code);
  });

  it('is made good by putting it right: the vectors follow', async () => {
    const whole = model('model_int8.onnx');
    const aside = `${whole}.aside`;
    copyFileSync(whole, aside);
    rmSync(whole);
    const mcp = await startMcp({ ...options(), cli: install.cli });
    await storeSome(mcp, 3);
    await mcp.endInput();
    expect(queuedCount(place.data_dir)).toBe(3);
    copyFileSync(aside, whole);
    const db = new DatabaseSync(file);
    // The pause after a failure is longer than a test may take.
    db.exec('update memory_vector_queue set claimed_until = 0');
    db.close();
    const next = await startMcp({ ...options(), cli: install.cli });
    await expect.poll(() => queuedCount(place.data_dir), { timeout: 60_000 }).toBe(0);
    await next.endInput();
    expect(checkStore(place.data_dir)).toMatchObject({ problems: [], living: 3, queued: 0 });
  });

  it('without any models folder stores and finds by words, and health names the missing file', async () => {
    rmSync(model('config.json'));
    const mcp = await startMcp({ ...options(), cli: install.cli });
    await storeSome(mcp, 2);
    await mcp.endInput();
    expect(checkStore(place.data_dir)).toMatchObject({ problems: [], living: 2, queued: 2 });
    const { health } = await healthOf(install);
    const check = health.checks.find(({ name }) => name === 'embedding');
    expect(check).toMatchObject({ status: 'degraded', detail: expect.stringMatching(/config\.json/) });
  });
});

interface Health {
  readonly status: string;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly detail: string;
    readonly fix?: string;
  }[];
}

/** What a hub of this installation says of itself, and what it logs, after a search has tried the model. */
async function healthOf(install: Install): Promise<{ health: Health; said: string }> {
  const env = { ...place.env, HAIVEMIND_LOG_LEVEL: 'error' };
  const hub = await startHub(install.cli, env, place.home);
  await fetch(`${hub.url}/api/v1/memories?query=anything`);
  const health = (await (await fetch(`${hub.url}/health`)).json()) as Health;
  const { stderr } = await hub.stop();
  return { health, said: stderr };
}
