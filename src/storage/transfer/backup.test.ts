// Backups of a store on PostgreSQL: one file, one moment, and back without losing what was there.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { freshDatabase, type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { openApp, refusalOf, testConfig } from '../../../test/support/open-app.ts';
import { postgresRows } from '../../../test/support/test-store.ts';
import {
  contentsOfDatabase,
  contentsOfDirectory,
  contentsOfFile,
  withStoreOn,
} from '../../../test/support/transfer.ts';
import { restoreStore } from '../../compose.ts';
import { openPostgresEngine } from '../postgres/engine.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'haivemind-transfer-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function backup(url: string, path: string) {
  const engine = await openPostgresEngine({ url });
  try {
    return await engine.backup(path);
  } finally {
    await engine.close();
  }
}

function restore(url: string, path: string, how?: { replace: boolean }) {
  return restoreStore(testConfig(folder, {}, { url, pool_max_count: 4, statement_timeout_ms: 30_000 }), path, how);
}

const store = (url: string, ...texts: readonly string[]) =>
  withStoreOn(url, folder, async (call) => {
    for (const content of texts) await call('store_memory', { content });
  });

describeEngine('postgres', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test('a backup made while others write is one moment of the store, in a file of its owner alone', async () => {
    await using database = await freshDatabase(server.url);
    const path = join(folder, 'sub', 'copy.db');
    await store(database.url, 'first');
    await withStoreOn(database.url, folder, async (call) => {
      const writing = Promise.all(
        Array.from({ length: 40 }, (_, index) => call('store_memory', { content: `Busy ${index}` })),
      );
      const { memories, bytes } = await backup(database.url, path);
      await writing;
      expect(bytes).toBe(statSync(path).size);
      const { memories: rows, changes, origins } = contentsOfFile(path);
      expect(rows).toHaveLength(memories);
      expect(changes).toHaveLength(memories);
      expect(origins).toMatchObject([{ last_sequence: memories }]);
    });
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(await refusalOf(backup(database.url, path))).toMatchObject({ code: 'conflict' });
    expect(existsSync(`${path}.unfinished`)).toBe(false);
  });

  test('restored into an empty database without being asked, and into a data directory', async () => {
    await using database = await freshDatabase(server.url);
    await using other = await freshDatabase(server.url);
    const path = join(folder, 'copy.db');
    await store(database.url, 'The switch in rack 3 needs a new fan', 'Another');
    await backup(database.url, path);
    expect(await restore(other.url, path, { replace: false })).toEqual({ memories: 2, kept: undefined });
    expect(await contentsOfDatabase(other.url)).toEqual(await contentsOfDatabase(database.url));
    const data_dir = join(folder, 'data');
    await restoreStore(testConfig(data_dir), path);
    expect(contentsOfDirectory(data_dir)).toEqual(await contentsOfDatabase(database.url));
    await using app = await openApp({ data_dir });
    expect((await app.call('search_memories', { query: 'switch fan' })).results).toHaveLength(1);
  });

  test('replaces a store with consent only, and keeps the earlier one', async () => {
    await using database = await freshDatabase(server.url);
    const path = join(folder, 'copy.db');
    await store(database.url, 'from the backup');
    await backup(database.url, path);
    await store(database.url, 'after the backup');
    expect(await refusalOf(restore(database.url, path, { replace: false }))).toMatchObject({
      code: 'confirmation_required',
    });
    await withStoreOn(database.url, folder, async () => {
      expect(await refusalOf(restore(database.url, path))).toMatchObject({ code: 'unavailable' });
    });
    const { kept, memories } = await restore(database.url, path);
    expect(memories).toBe(1);
    const [, schema] = /schema (haivemind_before_\w+)/.exec(kept ?? '') ?? [];
    expect(await postgresRows(database.url, `select content from ${schema}.memories order by row_id`, [])).toEqual([
      { content: 'from the backup' },
      { content: 'after the backup' },
    ]);
    expect((await contentsOfDatabase(database.url)).memories).toMatchObject([{ content: 'from the backup' }]);
    await store(database.url, 'Life goes on');
    expect(
      await postgresRows(database.url, "select nspname from pg_namespace where nspname = 'haivemind_incoming'", []),
    ).toEqual([]);
  });

  test('of a file that is no backup is refused', async () => {
    await using database = await freshDatabase(server.url);
    expect(await refusalOf(restore(database.url, join(folder, 'none.db')))).toMatchObject({ code: 'not_found' });
    expect(await refusalOf(restore(database.url, folder))).toMatchObject({ code: expect.stringMatching(/^storage_/) });
    expect(
      await postgresRows(database.url, "select nspname from pg_namespace where nspname like 'haivemind%'", []),
    ).toEqual([]);
  });
});
