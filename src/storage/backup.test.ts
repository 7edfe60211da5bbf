// Backups and restoring them: whole, checked, and never over a store that is in use.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openApp, refusalOf, testConfig } from '../../test/support/open-app.ts';
import { restoreStore } from '../compose.ts';
import { restoreBackup } from './backup.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'haivemind-backup-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A backup of a store with these texts, made while it was open. */
async function backupOf(texts: readonly string[], name = 'copy.db'): Promise<string> {
  await using app = await openApp();
  for (const text of texts) await app.store(text);
  const path = join(folder, name);
  expect(await app.runtime.backup(path)).toEqual({ bytes: statSync(path).size, memories: texts.length });
  return path;
}

test('a backup restored elsewhere has every memory, its versions and its search', async () => {
  const path = join(folder, 'sub', 'copy.db');
  const data_dir = join(folder, 'restored');
  await using app = await openApp();
  const kept = await app.store('The switch in rack 3 needs a new fan', { tags: ['rack'] });
  await app.call('update_memory', { memory_id: kept, content: 'The switch in rack 4 needs a new fan' });
  const gone = await app.store('Deleted before');
  await app.call('delete_memory', { memory_id: gone });
  expect(await app.runtime.backup(path)).toMatchObject({ memories: 1 });
  await app.store('Stored after the backup');
  expect(statSync(path).mode & 0o077).toBe(0);
  expect(await restoreStore(testConfig(data_dir), path)).toEqual({ memories: 1, kept: undefined });
  await using restored = await openApp({ data_dir });
  expect(await restored.call('retrieve_memory', { memory_id: kept, include_history: true })).toEqual(
    await app.call('retrieve_memory', { memory_id: kept, include_history: true }),
  );
  expect((await restored.call('search_memories', { query: 'switch fan' })).results).toHaveLength(1);
  await restored.call('recover_deleted_memory', { memory_id: gone });
  expect((await restored.call('get_memory_stats')).total).toBe(2);
  await restored.store('Life goes on');
});

test('a backup made while others write is one moment of the store', async () => {
  await using app = await openApp();
  const writing = Promise.all(Array.from({ length: 60 }, (_, i) => app.store(`Busy ${i}`)));
  const { memories } = await app.runtime.backup(join(folder, 'busy.db'));
  await writing;
  const copy = new DatabaseSync(join(folder, 'busy.db'), { readOnly: true });
  expect(copy.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
  expect(copy.prepare('select count(*) as memories from memories').get()).toEqual({ memories });
  expect(copy.prepare('select count(*) as memories from changes').get()).toEqual({ memories });
  copy.close();
});

test('a backup overwrites nothing and leaves no half file', async () => {
  const path = await backupOf(['one']);
  await using app = await openApp();
  expect(await refusalOf(app.runtime.backup(path))).toMatchObject({ code: 'conflict' });
  writeFileSync(join(folder, 'file'), 'not a folder');
  expect(await refusalOf(app.runtime.backup(join(folder, 'file', 'copy.db')))).toMatchObject({
    code: 'storage_read_only',
  });
  expect(readdirSync(folder).sort()).toEqual(['copy.db', 'file']);
});

describe('restoring', () => {
  test('keeps the earlier store beside the new one', async () => {
    const path = await backupOf(['from the backup']);
    const data_dir = join(folder, 'data');
    {
      await using app = await openApp({ data_dir });
      await app.store('from before');
    }
    const { kept, memories } = restoreBackup(data_dir, path);
    expect(memories).toBe(1);
    const earlier = new DatabaseSync(kept!, { readOnly: true });
    expect(earlier.prepare('select content from memories').all()).toEqual([{ content: 'from before' }]);
    earlier.close();
    await using app = await openApp({ data_dir });
    expect((await app.call('search_memories', { query: '' })).results).toMatchObject([{ content: 'from the backup' }]);
  });

  test('is refused while the store is open, and changes nothing', async () => {
    const path = await backupOf(['from the backup']);
    await using app = await openApp();
    const id = await app.store('in use');
    expect(await refusalOf(restoreStore(app.config, path))).toMatchObject({ code: 'unavailable' });
    expect(await app.call('retrieve_memory', { memory_id: id })).toMatchObject({ content: 'in use' });
    await app.store('still writable');
    expect(existsSync(join(app.data_dir, 'backups'))).toBe(false);
  });

  test('replaces a store that is damaged', async () => {
    const path = await backupOf(['sound']);
    const data_dir = join(folder, 'data');
    restoreBackup(data_dir, path);
    writeFileSync(join(data_dir, 'haivemind.db'), 'garbage');
    expect(await refusalOf(openApp({ data_dir }))).toMatchObject({ code: 'storage_corrupt' });
    expect(readFileSync(join(data_dir, 'haivemind.db'), 'utf8')).toBe('garbage');
    restoreBackup(data_dir, path);
    await using app = await openApp({ data_dir });
    expect((await app.call('get_memory_stats')).total).toBe(1);
  });

  test.each([
    ['absent', () => {}, 'not_found'],
    ['not a database', (path: string) => writeFileSync(path, 'hello'.repeat(1_000)), 'storage_corrupt'],
    ['empty', (path: string) => writeFileSync(path, ''), 'storage_corrupt'],
    [
      'a database of something else',
      (path: string) => {
        const other = new DatabaseSync(path);
        other.exec('create table t (x)');
        other.close();
      },
      'storage_corrupt',
    ],
    [
      'of a later program',
      (path: string) => {
        const later = new DatabaseSync(path);
        later.exec('create table t (x); pragma user_version = 999');
        later.close();
      },
      'storage_too_new',
    ],
  ] as const)('of a backup that is %s is refused', async (_what, make, code) => {
    const path = join(folder, 'bad.db');
    make(path);
    const data_dir = join(folder, 'data');
    {
      await using app = await openApp({ data_dir });
      await app.store('precious');
    }
    const before = readFileSync(join(data_dir, 'haivemind.db'));
    expect(await refusalOf((async () => restoreBackup(data_dir, path))())).toMatchObject({ code });
    expect(readFileSync(join(data_dir, 'haivemind.db')).equals(before)).toBe(true);
    expect(readdirSync(data_dir)).toEqual(['haivemind.db']);
  });

  test('of a backup with a damaged page is refused', async () => {
    const path = await backupOf(Array.from({ length: 300 }, (_, i) => `Row ${i} ${'x'.repeat(300)}`));
    const bytes = readFileSync(path);
    chmodSync(path, 0o600);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 8_192), Buffer.alloc(40_960, 7), bytes.subarray(49_152)]));
    expect(await refusalOf((async () => restoreBackup(join(folder, 'data'), path))())).toMatchObject({
      code: 'storage_corrupt',
    });
  });
});
